//! Section 7: concurrency, and calls of clients that do not read.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use std::time::Duration;

use axum::{Router, extract::State};
use serde_json::json;
use switchboard::{Config, Conn, Hub, Identity, RouteOptions, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};
use tokio::sync::Semaphore;

use crate::messages::requests::inspect;
use crate::server;

#[tokio::test]
async fn a_route_can_ask_for_bounded_concurrency() {
    let server = server();
    let mut client = server.connect("/limited").await;
    // An event that takes its time, and requests that do not wait for it.
    client.send("SLOW", json!({ "id": 1, "ms": 1000 })).await;
    client.send_request("SLEEP", "long", json!({ "ms": 300 })).await;
    let reply = client.request("ADD", "short", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(reply["meta"]["correlationId"], "short");
    assert_eq!(client.recv().await["meta"]["correlationId"], "long");
    assert_eq!(client.expect("DONE").await, json!({ "id": 1 }));
}

#[tokio::test]
async fn concurrency_is_bounded() {
    let hub = Hub::new();
    let ws = router(Config::new(), RouteOptions::new().concurrent(2)).hub(hub.clone());
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(App::new()));
    let mut client = server.connect("/ws").await;
    for id in ["1", "2", "3"] {
        client.send_request("WAIT", id, json!({})).await;
    }
    heartbeat(&mut client).await;
    assert_eq!(hub.stats().running_handlers, 2);
    // Where one has ended, the third begins.
    permit(&mut server.connect("/ws").await, 1).await;
    assert_eq!(client.expect("DONE").await["handled"], 1);
    heartbeat(&mut client).await;
    assert_eq!(hub.stats().running_handlers, 2);
    permit(&mut server.connect("/ws").await, 2).await;
    for handled in [2, 3] {
        assert_eq!(client.expect("DONE").await["handled"], handled);
    }
}

#[tokio::test]
async fn too_many_requests_in_flight_are_exhausted() {
    let server = server();
    let mut client = server.connect("/limited").await;
    client.send_request("SLEEP", "1", json!({ "ms": 60_000 })).await;
    client.send_request("SLEEP", "2", json!({ "ms": 60_000 })).await;
    let error = client.request("SLEEP", "3", json!({ "ms": 60_000 })).await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("3")));
    assert_eq!(error["payload"]["code"], "RESOURCE_EXHAUSTED");
    assert_eq!(error["payload"]["details"], json!({ "limit": 2, "current": 2 }));
    // Another with the id of one in flight: uncorrelated.
    client.send_request("SLEEP", "1", json!({ "ms": 1 })).await;
    let error = client.expect_error("ERROR", "ALREADY_EXISTS").await;
    assert_eq!(error["details"], json!({ "correlationId": "1" }));
    // So is whatever else has that id.
    for text in [
        r#"{"type":"NOPE","meta":{"correlationId":"1"}}"#,
        r#"{"type":"ADD","meta":{"correlationId":"1","timeoutMs":-1},"payload":{"a":1,"b":2}}"#,
        r#"{"type":"$ws:foo","meta":{"correlationId":"1"}}"#,
        r#"{"type":"PING","meta":{"correlationId":"1"},"payload":{"text":""}}"#,
    ] {
        client.text(text).await;
        client.expect_error("ERROR", "ALREADY_EXISTS").await;
    }
    client.text(r#"{"type":"$ws:abort","meta":{"correlationId":"1"}}"#).await;
    assert_eq!(client.recv().await["payload"]["code"], "CANCELLED");
}

#[tokio::test]
async fn requests_in_flight_are_limited_by_default() {
    let server = Server::start(app(Config::new(), RouteOptions::new().concurrent(64)));
    let mut client = server.connect("/ws").await;
    for id in 0..10_000 {
        client.send_request("WAIT", &id.to_string(), json!({})).await;
        if id >= 64 {
            let error = client.recv().await;
            assert_eq!(error["payload"]["code"], "RESOURCE_EXHAUSTED", "{error}");
            assert_eq!(error["payload"]["details"], json!({ "limit": 64, "current": 64 }));
        }
    }
    let mut other = server.connect("/ws").await;
    other.send_request("RELEASE", "r", json!({ "count": 64 })).await;
    other.recv().await;
    for _ in 0..64 {
        assert_eq!(client.recv().await["type"], "DONE");
    }
}

#[ws_message("DONE")]
struct Done {
    handled: usize,
}

#[ws_rpc("WAIT", response = Done)]
struct Wait {}

#[ws_rpc("RELEASE", response = Done)]
struct Release {
    count: usize,
}

#[ws_rpc("PAY", response = Done)]
struct Pay {
    amount: u32,
}

#[ws_message("AM")]
struct Am {
    user: String,
}

#[ws_rpc("REFUND", response = Done)]
struct Refund {
    amount: u32,
}

#[derive(Clone)]
pub(crate) struct App {
    permits: Arc<Semaphore>,
    handled: Arc<AtomicUsize>,
}

impl App {
    pub(crate) fn new() -> Self {
        Self { permits: Arc::new(Semaphore::new(0)), handled: Arc::default() }
    }
}

async fn wait(State(app): State<App>, _: Wait) -> Result<Done, WsError> {
    app.permits.acquire().await.map_err(WsError::internal)?.forget();
    Ok(Done { handled: app.handled.fetch_add(1, SeqCst) + 1 })
}

async fn release(State(app): State<App>, release: Release) -> Done {
    app.permits.add_permits(release.count);
    Done { handled: app.handled.load(SeqCst) }
}

/// Waits for a permit, then counts; amounts of 0 fail for now, of 1 for ever.
async fn pay(State(app): State<App>, pay: Pay) -> Result<Done, WsError> {
    app.permits.acquire().await.map_err(WsError::internal)?.forget();
    let handled = app.handled.fetch_add(1, SeqCst) + 1;
    match pay.amount {
        0 => Err(WsError::unavailable("later")),
        1 => Err(WsError::not_found("never")),
        _ => Ok(Done { handled }),
    }
}

async fn refund(app: State<App>, Refund { amount }: Refund) -> Result<Done, WsError> {
    pay(app, Pay { amount }).await
}

async fn am(conn: Conn, am: Am) -> Result<(), WsError> {
    conn.identify(Identity::new(am.user))
}

pub(crate) fn router(config: Config, options: RouteOptions) -> WsRouter<App> {
    let beside = RouteOptions::new().concurrent(8);
    let ws = WsRouter::new().config(config).on_with(wait, options);
    ws.on_with(pay, beside).on_with(refund, beside).on(release).on(am)
}

pub(crate) fn app(config: Config, options: RouteOptions) -> Router {
    Router::new().route("/ws", ws_route(router(config, options))).with_state(App::new())
}

#[tokio::test]
async fn a_handler_that_calls_its_client_does_not_deadlock() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("ASK_ME", json!({ "question": "who?" })).await;
    let id = client.recv().await["meta"]["correlationId"].as_str().unwrap().to_owned();
    // More than the inbox holds stands before the answer.
    for n in 0..100 {
        client.send("PING", json!({ "text": n.to_string() })).await;
    }
    client.send_request("ANSWER", &id, json!({ "text": "me" })).await;
    assert_eq!(client.expect("ANSWERED").await, json!({ "text": "me" }));
    for n in 0..100 {
        assert_eq!(client.expect("PONG").await, json!({ "text": n.to_string() }));
    }
}

#[tokio::test]
async fn beyond_the_hard_limit_the_call_fails() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("ASK_ME", json!({ "question": "who?" })).await;
    assert_eq!(client.recv().await["type"], "ASK");
    for n in 0..300 {
        client.send("PING", json!({ "text": n.to_string() })).await;
    }
    client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
    for n in 0..300 {
        assert_eq!(client.expect("PONG").await, json!({ "text": n.to_string() }));
    }
}

/// An answered heartbeat: all that was sent before has been taken in.
pub(crate) async fn heartbeat(client: &mut Client) {
    client.text(r#"{"type":"__heartbeat"}"#).await;
    assert_eq!(client.recv().await["type"], "__heartbeat_ack");
}

pub(crate) async fn permit(client: &mut Client, count: usize) {
    client.send_request("RELEASE", "r", json!({ "count": count })).await;
    client.expect("DONE").await;
}

#[tokio::test]
async fn handlers_that_run_to_completion_do() {
    let server = Server::start(app(Config::new(), RouteOptions::new().run_to_completion()));
    let mut other = server.connect("/ws").await;
    // Aborted, too late, and of a client that has left.
    let mut client = server.connect("/ws").await;
    client.send_request("WAIT", "a", json!({})).await;
    client.text(r#"{"type":"$ws:abort","meta":{"correlationId":"a"}}"#).await;
    assert_eq!(client.recv().await["payload"]["code"], "CANCELLED");
    let late = json!({ "type": "WAIT", "meta": { "correlationId": "b", "timeoutMs": 10 }, "payload": {} });
    client.text(late.to_string()).await;
    assert_eq!(client.recv().await["payload"]["code"], "DEADLINE_EXCEEDED");
    client.send_request("WAIT", "c", json!({})).await;
    heartbeat(&mut client).await;
    drop(client);
    permit(&mut other, 3).await;
    let all = async {
        loop {
            other.send_request("RELEASE", "r", json!({ "count": 0 })).await;
            if other.expect("DONE").await["handled"] == 3 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.unwrap();
}

#[tokio::test]
async fn a_client_that_answers_nothing_costs_only_itself() {
    let server = server();
    let mut quiet = server.connect("/ws").await;
    quiet.send("ASK_ME", json!({ "question": "who?" })).await;
    let mut client = server.connect("/ws").await;
    client.assert_alive().await;
    assert_eq!(inspect(&mut client).await["connections"], 2);
}
