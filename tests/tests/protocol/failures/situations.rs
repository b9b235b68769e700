//! Section 2: what each situation gets, and that the connection lives.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use serde_json::json;
use switchboard::{Config, RouteOptions, WsRouter, ws_message, ws_rpc};
use switchboard_tests::client::{Server, masked};
use switchboard_tests::serve::ws_route;

use crate::server;

#[tokio::test]
async fn an_error_of_a_handler_is_the_answer() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let error = client.request("FAIL", "c1", json!({ "code": "NOT_FOUND", "message": "no" })).await;
    assert_eq!(error["type"], "RPC_ERROR");
    assert_eq!(error["payload"], json!({ "code": "NOT_FOUND", "message": "no", "retryable": false }));
    client.assert_alive().await;
}

#[tokio::test]
async fn a_panic_of_a_handler_is_internal() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for payload in [Some(json!({})), None] {
        let meta = json!({ "correlationId": "c1" });
        let message = match payload {
            Some(payload) => json!({ "type": "PANIC", "meta": meta, "payload": payload }),
            None => json!({ "type": "PANIC", "meta": meta }),
        };
        client.text(message.to_string()).await;
        let error = client.recv().await;
        assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("c1")));
        assert_eq!(error["payload"], json!({ "code": "INTERNAL", "message": "internal error" }));
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn a_message_over_the_limit_gets_1009() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let text = |len: usize| {
        let frame = r#"{"type":"PING","payload":{"text":""}}"#;
        format!(r#"{{"type":"PING","payload":{{"text":"{}"}}}}"#, "x".repeat(len - frame.len()))
    };
    client.text(text(64 * 1024)).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    client.text(text(64 * 1024 + 1)).await;
    assert_eq!(client.expect_close().await.0, 1009);
    // Decided from the header: no payload follows.
    let mut client = server.connect("/ws").await;
    client.raw(&[0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]).await;
    assert_eq!(client.expect_close().await.0, 1009);
}

#[tokio::test]
async fn fragments_count_together() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.raw(&masked(0x01, &vec![b' '; 60_000])).await;
    client.raw(&masked(0x80, &vec![b' '; 60_000])).await;
    assert_eq!(client.expect_close().await.0, 1009);
}

#[tokio::test]
async fn a_request_ends_at_its_deadline() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let meta = json!({ "correlationId": "c1", "timeoutMs": 30 });
    client.text(json!({ "type": "SLEEP", "meta": meta, "payload": { "ms": 60_000 } }).to_string()).await;
    let error = client.recv().await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("c1")));
    let expected = json!({ "code": "DEADLINE_EXCEEDED", "message": "the deadline has passed", "retryable": true, "retryAfterMs": 50 });
    assert_eq!(error["payload"], expected);
    client.assert_alive().await;
}

#[tokio::test]
async fn meta_timeout_counts_from_receipt() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("SLOW", json!({ "id": 1, "ms": 200 })).await;
    let meta = json!({ "correlationId": "c1", "timeoutMs": 50 });
    client.text(json!({ "type": "ADD", "meta": meta, "payload": { "a": 1, "b": 1 } }).to_string()).await;
    client.expect_error("RPC_ERROR", "DEADLINE_EXCEEDED").await;
    client.expect("DONE").await;
    client.assert_alive().await;
}

/// Counts the futures of handlers that were dropped before they were done.
#[derive(Clone, Default)]
struct Dropped(Arc<AtomicUsize>);

struct Guard(Dropped);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, SeqCst);
    }
}

#[ws_message("SUM")]
struct Sum {
    result: f64,
}

#[ws_rpc("ADD", response = Sum)]
struct Add {
    a: f64,
    b: f64,
}

#[ws_rpc("HANG", response = Sum)]
struct Hang {}

#[ws_message("HANG_EVENT")]
struct HangEvent {}

async fn hang(State(dropped): State<Dropped>, _: Hang) -> Sum {
    let _guard = Guard(dropped);
    std::future::pending().await
}

async fn hang_event(State(dropped): State<Dropped>, _: HangEvent) {
    let _guard = Guard(dropped);
    std::future::pending().await
}

pub(crate) fn hanging(config: Config) -> Server {
    hanging_with(config, RouteOptions::new())
}

fn hanging_with(config: Config, requests: RouteOptions) -> Server {
    let add = async |add: Add| Sum { result: add.a + add.b };
    let ws = WsRouter::new().config(config).on_with(hang, requests).on(hang_event).on(add);
    let dropped = async |State(dropped): State<Dropped>| axum::Json(json!({ "dropped": dropped.0.load(SeqCst) }));
    let app = Router::new().route("/ws", ws_route(ws)).route("/dropped", get(dropped)).with_state(Dropped::default());
    Server::start(app)
}

#[tokio::test]
async fn requests_and_events_have_a_default_deadline() {
    let server = hanging(Config::new().handler_timeout(Duration::from_millis(20)));
    let mut client = server.connect("/ws").await;
    client.send("HANG_EVENT", json!({})).await;
    client.expect_error("ERROR", "DEADLINE_EXCEEDED").await;
    client.send_request("HANG", "c1", json!({})).await;
    client.expect_error("RPC_ERROR", "DEADLINE_EXCEEDED").await;
    server.wait_for("/dropped", "dropped", &json!(2)).await;
    client.assert_alive().await;
}

#[tokio::test]
async fn meta_timeout_maximum_is_for_what_requests_ask_only() {
    let config = Config::new().max_request_timeout(Duration::from_millis(20));
    let server = hanging(config.handler_timeout(Duration::from_millis(300)));
    let mut client = server.connect("/ws").await;
    let begun = std::time::Instant::now();
    client.send_request("HANG", "c1", json!({})).await;
    client.expect_error("RPC_ERROR", "DEADLINE_EXCEEDED").await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn meta_timeout_is_clamped() {
    let server = hanging(Config::new().max_request_timeout(Duration::from_millis(20)));
    let mut client = server.connect("/ws").await;
    let meta = json!({ "correlationId": "c1", "timeoutMs": 1e12 });
    client.text(json!({ "type": "HANG", "meta": meta, "payload": {} }).to_string()).await;
    client.expect_error("RPC_ERROR", "DEADLINE_EXCEEDED").await;
}

#[tokio::test]
async fn abort_drops_the_handler_or_takes_the_request_out_of_the_inbox() {
    let server = hanging(Config::new());
    let mut client = server.connect("/ws").await;
    client.send_request("HANG", "c1", json!({})).await;
    client.send_request("HANG", "c2", json!({})).await;
    client.send_request("ADD", "c3", json!({ "a": 1, "b": 1 })).await;
    for id in ["unknown", "c2", "c1"] {
        client.text(json!({ "type": "$ws:abort", "meta": { "correlationId": id } }).to_string()).await;
    }
    for id in ["c2", "c1"] {
        let error = client.recv().await;
        assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!(id)));
        assert_eq!(error["payload"]["code"], "CANCELLED");
    }
    assert_eq!(client.expect("SUM").await, json!({ "result": 2.0 }));
    server.wait_for("/dropped", "dropped", &json!(1)).await;
    client.assert_alive().await;
}

#[tokio::test]
async fn connection_lost_drops_the_handlers() {
    let server = hanging_with(Config::new(), RouteOptions::new().concurrent(2));
    for dropped in [3, 6] {
        let mut client = server.connect("/ws").await;
        client.send("HANG_EVENT", json!({})).await;
        // The third has no place, and so nothing that could be dropped.
        for id in ["a", "b", "c"] {
            client.send_request("HANG", id, json!({})).await;
        }
        client.text(r#"{"type":"__heartbeat"}"#).await;
        assert_eq!(client.recv().await["type"], "__heartbeat_ack");
        if dropped == 3 {
            drop(client);
        } else {
            assert_eq!(client.close(1000).await, 1000);
        }
        server.wait_for("/dropped", "dropped", &json!(dropped)).await;
    }
}

#[tokio::test]
async fn a_correlation_id_in_flight_is_refused() {
    let server = hanging(Config::new());
    let mut client = server.connect("/ws").await;
    client.send_request("HANG", "c1", json!({})).await;
    client.send_request("ADD", "c2", json!({ "a": 1, "b": 1 })).await;
    client.send_request("ADD", "c1", json!({ "a": 1, "b": 1 })).await;
    client.send_request("ADD", "c2", json!({ "a": 5, "b": 5 })).await;
    client.text(r#"{"type":"$ws:abort","meta":{"correlationId":"c1"}}"#).await;
    client.expect_error("RPC_ERROR", "CANCELLED").await;
    assert_eq!(client.expect("SUM").await, json!({ "result": 2.0 }));
    for id in ["c1", "c2"] {
        let error = client.recv().await;
        assert_eq!((&error["type"], error["meta"].get("correlationId")), (&json!("ERROR"), None));
        assert_eq!(error["payload"]["code"], "ALREADY_EXISTS");
        assert_eq!(error["payload"]["details"], json!({ "correlationId": id }));
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn a_failed_event_handler_is_an_error() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("JOIN", json!({ "topic": "private:x" })).await;
    client.expect_error("ERROR", "PERMISSION_DENIED").await;
    let error = client.request("JOIN", "c1", json!({ "topic": "private:x" })).await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("ERROR"), &json!("c1")));
    client.assert_alive().await;
}
