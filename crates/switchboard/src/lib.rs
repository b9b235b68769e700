//! Switchboard is an extension of [axum] for typed realtime messaging over WebSockets. Annotate
//! message structs, write async functions with extractors as their handlers, and mount one route.
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! serde = { version = "1", features = ["derive"] } # for types that derive it themselves
//! switchboard = "0.1"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! ```
//!
//! ```no_run
//! use axum::{Router, extract::State, http::StatusCode};
//! use switchboard::{BearerToken, Conn, WsError, WsRouter, ws_message, ws_route, ws_rpc};
//!
//! /// An event: `{"type":"SAY","payload":{"text":"hi"}}`.
//! #[ws_message("SAY")]
//! struct Say {
//!     #[validate(length(min = 1, max = 200))]
//!     text: String,
//! }
//!
//! #[ws_message("SAID")]
//! struct Said {
//!     user_name: String,
//!     text: String,
//! }
//!
//! #[ws_message("SUM")]
//! struct Sum {
//!     result: f64,
//! }
//!
//! /// A request: its handler returns the reply, checked against `response`.
//! #[ws_rpc("ADD", response = Sum)]
//! struct Add {
//!     a: f64,
//!     b: f64,
//! }
//!
//! struct User {
//!     name: String,
//! }
//!
//! #[derive(Clone)]
//! struct App {
//!     secret: String,
//! }
//!
//! async fn authenticate(token: BearerToken, State(app): State<App>) -> Result<User, StatusCode> {
//!     if token.matches(&app.secret) {
//!         Ok(User { name: "Ann".into() })
//!     } else {
//!         Err(StatusCode::UNAUTHORIZED)
//!     }
//! }
//!
//! async fn enter(conn: Conn<User>) -> Result<(), WsError> {
//!     conn.subscribe("lobby").await?;
//!     Ok(())
//! }
//!
//! async fn say(conn: Conn<User>, say: Say) -> Result<(), WsError> {
//!     let said = Said { user_name: conn.data().name.clone(), text: say.text };
//!     conn.publish("lobby", said).await?;
//!     Ok(())
//! }
//!
//! async fn add(add: Add) -> Sum {
//!     Sum { result: add.a + add.b }
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let ws = WsRouter::new().authenticate(authenticate).on_open(enter).on(say).on(add);
//!     let app = Router::new().route("/ws", ws_route(ws)).with_state(App { secret: "secret".into() });
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     switchboard::serve(listener, app).await
//! }
//! ```
//!
//! # Where things are
//!
//! The first ten:
//!
//! | item | for |
//! |---|---|
//! | [`macro@ws_message`] | declaring a message |
//! | [`macro@ws_rpc`] | declaring a request with its response |
//! | [`WsRouter`] | routing messages to handlers |
//! | [`ws_route`] | mounting the router in axum |
//! | [`Handler`] | what handlers can take and return |
//! | [`Conn`] | sending, publishing, subscribing and closing, in handlers |
//! | [`Hub`] | publishing from anywhere, topics and users |
//! | [`WsError`] | errors for clients |
//! | [`WsRouter::authenticate`] | accepting connections, for example with a [`BearerToken`] |
//! | [`serve`] | running the server |
//!
//! Everything else:
//!
//! | to | see |
//! |---|---|
//! | declare nested types, `meta` and sets of messages | [`macro@ws_payload`], [`macro@ws_meta`], [`derive@WsMessages`] |
//! | use types without the attributes as messages | [`derive@WsMessage`] |
//! | write extractors and hooks | [`extract`], [`Hook`], [`macro@ws_handlers`] |
//! | add layers | [`middleware`], [`WsRouter::layer`] |
//! | accept tokens and origins | [`TokenSources`], [`OriginPolicy`], [`TrustedProxies`] |
//! | authorise, limit, filter and conflate topics | [`HubBuilder::topic`], [`TopicOptions`] |
//! | see who is connected | [`Hub::user`], [`Hub::local_connections`], [`ConnRef`], [`UserEvent`] |
//! | set limits and deadlines | [`Config`], [`Hub::builder`], [`RouteOptions`] |
//! | shut down | [`Hub::drain`] |
//! | test an application | [`mod@test`] |
//!
//! # Guides
//!
//! In reading order:
//!
//! 1. [`guide::coming_from`]: the same things in axum's WebSockets, Socket.IO and ws-kit
//! 2. [`guide::handlers`]: arguments, replies, concurrency, deadlines and cancellation
//! 3. [`guide::topics`]: subscribing, publishing, authorization, filters and slow consumers
//! 4. [`guide::authentication`]: who may connect, as which user, and for how long
//! 5. [`guide::middleware`]: layers around messages
//! 6. [`guide::errors`]: what clients see, what is logged, and what closes a connection
//! 7. [`guide::testing`]: testing in memory, with a paused clock
//! 8. [`guide::shutdown`]: serving, draining and shutting down
//! 9. [`guide::nodes`]: several nodes, joined by a broker
//! 10. [`guide::shared_messages`]: one crate of messages for the server and its Rust clients
//! 11. [`guide::metrics`]: counters and histograms
//! 12. [`guide::memory`]: memory limits
//!
//! # Errors of other crates
//!
//! `?` converts every error with a `From` conversion into a [`WsError`]. For other errors, return
//! `Result<_, BoxError>`: the error is logged, and the client receives `INTERNAL`.
//!
//! ```
//! use switchboard::{BoxError, ws_message};
//!
//! #[ws_message("COUNT")]
//! struct Count {
//!     text: String,
//! }
//!
//! async fn count(count: Count) -> Result<(), BoxError> {
//!     let number: u64 = count.text.parse()?;
//!     println!("{number}");
//!     Ok(())
//! }
//! # let _ = switchboard::WsRouter::<()>::new().on(count);
//! ```
//!
//! # On the wire
//!
//! Messages are text frames with JSON: `{"type", "meta", "payload"}`. Field names are camelCase
//! unless `rename_all` says otherwise.
//!
//! Incoming messages are decoded strictly: an unknown key is an error, at any depth, and values are
//! not coerced. Inside enums with `#[serde(untagged)]`, or with `#[serde(tag = …)]` but no
//! `content`, unknown keys are only rejected with `#[serde(deny_unknown_fields)]`, because serde
//! buffers them. Outgoing numbers that are not finite become `null`.
//!
//! A message that is malformed, unknown or invalid, or whose handler fails, is answered with an
//! `ERROR` (a request with an `RPC_ERROR`). The connection stays open.
//!
//! # Cancellation
//!
//! A handler's future is dropped at its current `.await` when its connection ends, its deadline
//! passes or the client aborts the request. Spawn a task for work that must complete, or use
//! [`RouteOptions::run_to_completion`].
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `axum-ws` | no | axum's `WebSocket` as a transport (`TransportKind::Axum`), and upgrades inside axum handlers (`WsRouter::mount`); compiles tungstenite |
//! | `bytes`, `chrono`, `rust_decimal`, `time`, `url`, `uuid` | no | types of the crate of that name in messages; with `schema`, also their JSON Schema |
//! | `cluster` | no | several nodes, joined by a broker: see [`guide::nodes`] |
//! | `http2` | no | WebSockets over HTTP/2, by extended CONNECT |
//! | `metrics` | no | counters and histograms through the crate [`metrics`](https://docs.rs/metrics): see [`guide::metrics`] |
//! | `schema` | yes | derives `schemars::JsonSchema` for messages |
//! | `test` | no | the test kit, for tests without a port: see [`guide::testing`] |
//!
//! # Limits
//!
//! Every queue, buffer and wait is bounded. [`Config`] lists the limits of a route with their
//! defaults, [`Hub::builder`] those of a hub, [`TopicOptions`] and [`BatchOptions`] those of
//! topics.
//!
//! # Stability
//!
//! Before 1.0, minor versions may contain breaking changes. The minimum supported Rust version is
//! 1.88. It is raised only in minor versions, to compilers that are at least six months old.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod clock;
#[cfg(feature = "cluster")]
pub mod cluster;
mod config;
mod conn;
mod dispatch;
mod engine;
pub mod extract;
mod fanout;
mod guard;
pub mod guide;
mod handler;
mod hub;
mod log_limit;
#[cfg(all(test, loom))]
mod loom_tests;
mod metrics;
pub mod middleware;
mod outbox;
mod request;
mod router;
mod serve;
mod shrink;
mod sync;
#[cfg(feature = "test")]
pub mod test;
mod transport;
mod upgrade;
mod wire;

#[cfg(feature = "axum-ws")]
#[doc(inline)]
pub use self::upgrade::MountedRouter;
#[doc(inline)]
pub use self::{
    config::Config,
    conn::{
        Attributes, Call, CallError, CallErrorKind, CallFuture, Conn, ConnId, ConnRef, Identity, InvalidConnId,
        RawText, RefreshToken, SendError, SendErrorKind, TooManyAttributes,
    },
    extract::{ConnParts, FromConnParts, FromMessageParts, FromUpgrade, MessageParts, Meta, RawPayload, Setup},
    handler::{
        Argument, Arguments, CloseReason, ClosedBy, Failure, Handler, HandlerFn, Hook, HookArgument, HookArguments,
        HookOutput, UnknownMessage,
    },
    hub::{
        Batch, BatchOptions, CallAll, CallAnswers, CallFirst, ChangeTopics, ConnectionHandle, Connections, Drain,
        DrainFuture, Gathered, Hub, HubBuilder, HubStats, Matched, Members, Publish, PublishError, PublishErrorKind,
        PublishFuture, PublishMany, Published, SlowConsumer, Subscribe, Throttle, TopicChange, TopicError,
        TopicErrorKind, TopicFuture, TopicHandle, TopicName, TopicOf, TopicOptions, TypedHub, TypedTopic as Topic,
        Unsubscribe, UserEvent, UserEvents, UserHandle,
    },
    middleware::{RateLimitLayer, TraceLayer, WsReply, WsRequest},
    request::{Cancelled, Deadline, Progress, ReceivedAt},
    router::{RouteOptions, WsRouter, ws_route},
    serve::{Serve, serve},
    transport::TransportKind,
    upgrade::{
        Authenticated, Authenticator, BearerToken, BearerTokenRejection, Endpoint, InvalidNetwork, Mergeable, Open,
        OriginPolicy, Produces, TokenSources, TrustedProxies,
    },
};
pub use switchboard_core::{
    AnyMessage, BoxError, CloseCode, Contract, ErrorCode, Event, Issue, Issues, Kind, MemberOf, Message, MessageMeta,
    MessageSet, Reply, Request, RetryAfter, Rpc, WsError, as_string, contract, envelope::EnvelopeStyle, validator,
};
pub use switchboard_macros::{WsMessage, WsMessages, ws_handler, ws_handlers, ws_message, ws_meta, ws_payload, ws_rpc};

/// Used by the macros. Not part of the public API: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use switchboard_core::__private::*;

    pub use crate::{Argument, WsRouter};
}
