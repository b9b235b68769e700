//! Typed realtime messaging for [axum]: annotate message structs, write async functions with
//! extractors, mount one route.
//!
//! ```no_run
//! use axum::{Router, extract::State};
//! use switchboard::{BearerToken, Conn, Hub, WsError, WsRouter, ws_message, ws_route, ws_rpc};
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
//! /// A request: what its handler returns is the reply, checked against `response`.
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
//! struct App;
//!
//! async fn authenticate(token: BearerToken, State(_): State<App>) -> Result<User, axum::http::StatusCode> {
//!     if token.matches("secret") {
//!         Ok(User { name: "Ann".into() })
//!     } else {
//!         Err(axum::http::StatusCode::UNAUTHORIZED)
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
//! # async fn serve() -> std::io::Result<()> {
//! let ws = WsRouter::new().authenticate(authenticate).on_open(enter).on(say).on(add);
//! let app = Router::new().route("/ws", ws_route(ws)).with_state(App);
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! switchboard::serve(listener, app).await
//! # }
//! ```
//!
//! # Errors of other crates
//!
//! `?` converts into a [`WsError`] what has a `From` for it. For everything else return
//! `Result<_, BoxError>`: the client sees `INTERNAL`, the log the error.
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
//! # Where things are
//!
//! | to | see |
//! |---|---|
//! | declare messages | [`macro@ws_message`], [`macro@ws_rpc`], [`macro@ws_payload`], [`macro@ws_meta`], [`derive@WsMessage`] |
//! | write handlers and hooks | [`Handler`], [`Hook`], [`extract`], [`macro@ws_handlers`] |
//! | route and mount | [`WsRouter`], [`ws_route`] |
//! | let clients in | [`WsRouter::authenticate`], [`BearerToken`], [`TokenSources`], [`OriginPolicy`] |
//! | send and publish | [`Conn`], [`Hub`] |
//! | make rules for topics | [`HubBuilder::topic`], [`TopicOptions`], [`guide::topics`] |
//! | see who is connected | [`Hub::local_connections`], [`Hub::user`], [`ConnRef`], [`UserEvent`] |
//! | report errors | [`WsError`], [`ErrorCode`] |
//! | set limits | [`Config`], [`HubBuilder`] |
//! | run and stop a server | [`serve`], [`Hub::drain`] |
//! | test an application | [`mod@test`] |
//! | learn more | [`guide`] |
//!
//! # On the wire
//!
//! Text frames with JSON: `{"type", "meta", "payload"}`. Field names are camelCase unless
//! `rename_all` says otherwise. What comes in is read strictly: a key that the type does not
//! declare is an error, at any depth, and nothing is coerced (inside enums that are
//! `#[serde(tag = …)]` without `content` or `untagged` only with `#[serde(deny_unknown_fields)]`, since serde buffers
//! them). A number that is not finite leaves as `null`, as JSON has no such numbers. A message that is malformed,
//! unknown, invalid or fails in its handler gets an `ERROR` (a request: `RPC_ERROR`) and the
//! connection lives.
//!
//! # Limits
//!
//! Every queue, buffer and wait is bounded; [`Config`] lists the bounds of a route with their defaults,
//! [`Hub::builder`] those of a hub, [`TopicOptions`] and [`BatchOptions`] those of topics.
//!
//! # Cancel safety
//!
//! A handler's future is dropped when its connection ends, its deadline passes or the client
//! aborts the request, at whatever `.await` it is at that moment. Spawn a task for work that must
//! go on.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `axum-ws` | no | axum's `WebSocket` as a transport (`TransportKind::Axum`), and upgrades inside handlers of axum's (`WsRouter::mount`); compiles tungstenite |
//! | `bytes`, `chrono`, `rust_decimal`, `time`, `url`, `uuid` | no | types of the crate of that name in messages, with `schema` their JSON Schema, too |
//! | `http2` | no | WebSockets over HTTP/2, by extended CONNECT |
//! | `metrics` | no | figures through the crate [`metrics`](https://docs.rs/metrics): see [`guide::metrics`] |
//! | `schema` | yes | the attributes derive `schemars::JsonSchema` for messages |
//! | `test` | no | the test kit, for tests of handlers without a port: see [`guide::testing`] |
//!
//! # Stability
//!
//! Before 1.0 a minor version may break. The minimum Rust version is 1.88, raised only in minor
//! versions and to compilers at least six months old.

#![forbid(unsafe_code)]

mod clock;
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
    extract::{
        ConnParts, FromConnParts, FromMessageParts, FromMiddleware, FromUpgrade, MessageParts, Meta, RawPayload, Setup,
    },
    handler::{
        Argument, Arguments, CloseReason, ClosedBy, Failure, Handler, HandlerFn, Hook, HookArgument, HookArguments,
        HookOutput, UnknownMessage,
    },
    hub::{
        Batch, BatchOptions, CallAll, CallFirst, ChangeTopics, ConnectionHandle, Connections, Drain, DrainFuture, Hub,
        HubBuilder, HubStats, Matched, Members, Publish, PublishError, PublishErrorKind, PublishFuture, PublishMany,
        Published, SlowConsumer, Subscribe, Throttle, TopicChange, TopicError, TopicErrorKind, TopicFuture,
        TopicHandle, TopicName, TopicOf, TopicOptions, TypedHub, TypedTopic as Topic, Unsubscribe, UserEvent,
        UserEvents, UserHandle,
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
    MessageSet, Reply, Request, Rpc, WsError, contract, envelope::EnvelopeStyle, validator,
};
pub use switchboard_macros::{WsMessage, WsMessages, ws_handler, ws_handlers, ws_message, ws_meta, ws_payload, ws_rpc};

/// What the macros refer to. Not API: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use switchboard_core::__private::*;

    pub use crate::{Argument, WsRouter};
}
