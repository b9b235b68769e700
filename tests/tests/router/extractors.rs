//! What handlers and hooks may take.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::{FromRef, FromRequestParts, Path, Query, State},
    http::{HeaderMap, StatusCode, request::Parts},
};
use serde_json::json;
use switchboard::{
    BoxError, Conn, ConnParts, Deadline, FromConnParts, FromMessageParts, FromUpgrade, Hub, MessageParts, Meta,
    ReceivedAt, SendError, WsError, WsRouter,
};
use switchboard_tests::client::Server;
use switchboard_tests::serve::ws_route;

use crate::{Ping, Pong};

#[derive(Clone)]
struct App {
    name: &'static str,
    hub: Hub,
}

impl FromRef<App> for &'static str {
    fn from_ref(app: &App) -> Self {
        app.name
    }
}

struct User {
    name: String,
}

/// An axum extractor that counts how often it runs.
#[derive(Clone)]
struct Agent(String);

impl FromRequestParts<App> for Agent {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, StatusCode> {
        RUNS.fetch_add(1, SeqCst);
        let agent = parts.headers.get("user-agent").and_then(|value| value.to_str().ok());
        agent.map(|agent| Self(agent.to_owned())).ok_or(StatusCode::IM_A_TEAPOT)
    }
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

/// An extension of the context: only for Ann.
struct OnlyAnn;

impl<S: Sync> FromConnParts<S, User> for OnlyAnn {
    type Rejection = WsError;

    async fn from_conn_parts(parts: &ConnParts<User>, _: &S) -> Result<Self, WsError> {
        if parts.data().name == "Ann" { Ok(Self) } else { Err(WsError::permission_denied("only Ann")) }
    }
}

struct TypeTag(&'static str);

impl<S: Sync, D: Send + Sync + 'static> FromMessageParts<S, D> for TypeTag {
    type Rejection = WsError;

    async fn from_message_parts(parts: &mut MessageParts<D>, _: &S) -> Result<Self, WsError> {
        Ok(Self(parts.message_type()))
    }
}

#[expect(clippy::too_many_arguments, reason = "eight is what is allowed")]
async fn all(
    conn: Conn<User>,
    State(name): State<&'static str>,
    Path(room): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    FromUpgrade(agent): FromUpgrade<Agent>,
    meta: Meta,
    TypeTag(tag): TypeTag,
    _: OnlyAnn,
    _: Ping,
) -> Pong {
    let id = meta.correlation_id().unwrap_or_default();
    Pong::new(format!("{} {name} {room} {} {} {id} {tag}", conn.data().name, query["q"], agent.0))
}

async fn opened(conn: Conn<User>, hub: Hub, FromUpgrade(agent): FromUpgrade<Agent>) -> Result<(), SendError> {
    conn.send(Pong::new(format!("{} {}", hub.stats().connections, agent.0)))
}

fn server() -> Server {
    let app = App { name: "app", hub: Hub::new() };
    let user = async |headers: HeaderMap, State(_): State<App>| match headers.get("x-name") {
        Some(name) => Ok(User { name: name.to_str().unwrap_or_default().to_owned() }),
        None => Err((StatusCode::UNAUTHORIZED, "no name")),
    };
    let ws = WsRouter::new().on(all).hub(app.hub.clone()).authenticate(user).on_open(opened);
    Server::start(Router::new().route("/ws/{room}", ws_route(ws)).with_state(app))
}

#[tokio::test]
async fn eight_extractors_and_the_message() {
    let server = server();
    let headers = [("x-name", "Ann"), ("user-agent", "test")];
    let mut client = server.upgrade("/ws/blue?q=1", &headers).await.unwrap();
    assert_eq!(client.expect("PONG").await, json!({ "text": "1 test" }));
    let pong = client.request("PING", "c1", json!({})).await;
    assert_eq!(pong["payload"]["text"], "Ann app blue 1 test c1 PING");
    client.request("PING", "c2", json!({})).await;
    // A handler and a hook ask for it, over several messages: it ran once, at the upgrade.
    assert_eq!(RUNS.load(SeqCst), 1);

    let mut bob = server.upgrade("/ws/blue?q=1", &[("x-name", "Bob"), ("user-agent", "test")]).await.unwrap();
    bob.expect("PONG").await;
    bob.send("PING", json!({})).await;
    assert_eq!(bob.expect_error("ERROR", "PERMISSION_DENIED").await["message"], "only Ann");

    let refusal = server.upgrade("/ws/blue", &[("user-agent", "test")]).await.unwrap_err();
    assert_eq!((refusal.status.as_u16(), refusal.body.as_str()), (401, "no name"));
    let refusal = server.upgrade("/ws/blue", &[("x-name", "Ann")]).await.unwrap_err();
    assert_eq!(refusal.status, 418);
}

#[tokio::test]
async fn extensions_of_the_request() {
    async fn get(extension: Option<Extension<&'static str>>, _: Ping) -> Pong {
        Pong::new(extension.map_or("none", |Extension(text)| text))
    }
    let with = ws_route(WsRouter::new().on(get)).layer(Extension("some"));
    let required = async |Extension(text): Extension<&'static str>, _: Ping| Pong::new(text);
    let app = Router::new()
        .route("/with", with)
        .route("/without", ws_route(WsRouter::new().on(get)))
        .route("/required", ws_route(WsRouter::new().on(required)));
    let server = Server::start(app);
    for (path, text) in [("/with", "some"), ("/without", "none")] {
        let mut client = server.connect(path).await;
        client.send("PING", json!({})).await;
        assert_eq!(client.expect("PONG").await, json!({ "text": text }));
    }
    assert_eq!(server.upgrade("/required", &[]).await.unwrap_err().status, 500);
}

#[tokio::test]
async fn our_own_errors_keep_their_codes_in_a_box() {
    async fn join(conn: Conn, _: Ping) -> Result<(), BoxError> {
        conn.subscribe("a b").await?;
        Ok(())
    }
    let server = crate::serve(WsRouter::new().on(join));
    let mut client = server.connect("/ws").await;
    client.send("PING", json!({})).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
}

#[tokio::test]
async fn a_panic_in_authenticate_is_500() {
    #[expect(clippy::panic, reason = "what is tested")]
    async fn panics() -> Result<(), StatusCode> {
        panic!("as planned")
    }
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().authenticate(panics))));
    assert_eq!(server.upgrade("/ws", &[]).await.unwrap_err().status, 500);
}

#[tokio::test]
async fn an_unmapped_error_is_internal() {
    let captured = Arc::new("captured".to_owned());
    let closure = {
        let captured = Arc::clone(&captured);
        async move |_: Conn, _: Ping| {
            let number: u32 = captured.parse::<u32>()?;
            Ok::<_, BoxError>(Pong::new(number.to_string()))
        }
    };
    let server = crate::serve(WsRouter::new().on(closure));
    let mut client = server.connect("/ws").await;
    client.send("PING", json!({})).await;
    let error = client.expect_error("ERROR", "INTERNAL").await;
    assert_eq!(error, json!({ "code": "INTERNAL", "message": "internal error" }));
}

const LATE: Duration = Duration::from_millis(150);

/// Takes its time.
struct Slow;

impl<S: Sync, D: Send + Sync + 'static> FromMessageParts<S, D> for Slow {
    type Rejection = WsError;

    async fn from_message_parts(_: &mut MessageParts<D>, _: &S) -> Result<Self, WsError> {
        tokio::time::sleep(LATE).await;
        Ok(Self)
    }
}

#[tokio::test]
async fn meta_timeout_counts_from_receipt_behind_an_extractor_that_waits() {
    async fn ping(_: Slow, deadline: Deadline, received: ReceivedAt, _: Ping) -> Pong {
        let ago = received.time().elapsed().unwrap();
        Pong::new(format!("{} {}", deadline.remaining().as_millis(), ago.as_millis()))
    }
    let server = crate::serve(WsRouter::new().on(ping));
    let mut client = server.connect("/ws").await;
    client.text(r#"{"type":"PING","meta":{"timeoutMs":5000},"payload":{}}"#).await;
    let pong = client.expect("PONG").await;
    let (remaining, ago) = pong["text"].as_str().unwrap().split_once(' ').unwrap();
    let (remaining, ago): (u128, u128) = (remaining.parse().unwrap(), ago.parse().unwrap());
    // A millisecond for rounding.
    assert!(remaining <= 5000 - LATE.as_millis() + 1 && ago + 1 >= LATE.as_millis(), "{pong}");
}
