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
use switchboard::{Config, WsRouter, ws_message, ws_rpc};
use switchboard_tests::client::{Server, masked};
use switchboard_tests::serve::ws_route;

use crate::server;

#[tokio::test]
async fn malformed_messages() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let deep = format!(r#"{{"type":"PING","payload":{{"text":{}"#, "[".repeat(30_000));
    for text in ["", "x", "{", "[]", "null", "1", "\"PING\"", "{}", r#"{"type":1}"#, r#"{"type":null}"#, &deep] {
        client.text(text).await;
        client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn nesting_and_duplicate_keys_are_errors() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let deep = format!(r#"{{"type":"PING","payload":{{"text":{}{}}}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    for text in [
        deep.as_str(),
        r#"{"type":"PING","payload":{"text":"a","text":"b"}}"#,
        r#"{"type":"PING","payload":{"text":"a","__proto__":{}}}"#,
    ] {
        client.text(text).await;
        client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn the_20th_bad_message_in_a_row_ends_the_connection() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for round in 0..19 {
        client.text(if round % 2 == 0 { "x" } else { r#"{"type":"NOPE"}"# }).await;
        client.expect("ERROR").await;
    }
    // One good one in between, and the count begins again; an invalid payload is not bad.
    client.assert_alive().await;
    for _ in 0..10 {
        client.text("x").await;
        client.expect("ERROR").await;
    }
    client.send("PING", json!({ "text": "" })).await;
    client.expect("ERROR").await;
    for _ in 0..20 {
        client.text("x").await;
    }
    for _ in 0..20 {
        client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    }
    assert_eq!(client.expect_close().await.0, 1008);
}

#[tokio::test]
async fn unknown_type() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("NOPE", json!({})).await;
    client.expect_error("ERROR", "UNIMPLEMENTED").await;
    let error = client.request("NOPE", "c1", json!({})).await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("c1")));
    assert_eq!(error["payload"]["code"], "UNIMPLEMENTED");
    client.assert_alive().await;
}

#[tokio::test]
async fn payload_fails_to_validate() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("SAY", json!({ "topic": "t", "text": "secret".repeat(200) })).await;
    let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    let expected = json!([{ "path": "text", "code": "length", "message": "must have a length of 1 to 1000" }]);
    assert_eq!(error["details"], json!({ "issues": expected }));
    assert!(!error.to_string().contains("secret"));
    client.assert_alive().await;
}

#[tokio::test]
async fn at_most_32_issues_sorted_by_path() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let mut payload = serde_json::Map::new();
    for i in 0..100 {
        payload.insert(format!("k{i:02}"), json!("value"));
    }
    client.send("PING", payload.into()).await;
    let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    let issues = error["details"]["issues"].as_array().unwrap();
    let paths: Vec<_> = issues.iter().map(|issue| issue["path"].as_str().unwrap()).collect();
    assert_eq!(paths.len(), 32);
    assert!(paths.is_sorted());
    assert!(!error.to_string().contains("value"));
}

#[tokio::test]
async fn handler_returns_an_error() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let error = client.request("FAIL", "c1", json!({ "code": "NOT_FOUND", "message": "no" })).await;
    assert_eq!(error["type"], "RPC_ERROR");
    assert_eq!(error["payload"], json!({ "code": "NOT_FOUND", "message": "no", "retryable": false }));
    client.assert_alive().await;
}

#[tokio::test]
async fn handler_panics() {
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
async fn message_over_the_size_limit() {
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
async fn deadline_of_the_request() {
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
async fn deadline_counts_from_receipt() {
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

fn hanging(config: Config) -> Server {
    let add = async |add: Add| Sum { result: add.a + add.b };
    let ws = WsRouter::new().config(config).on(hang).on(hang_event).on(add);
    let dropped = async |State(dropped): State<Dropped>| axum::Json(json!({ "dropped": dropped.0.load(SeqCst) }));
    let app = Router::new().route("/ws", ws_route(ws)).route("/dropped", get(dropped)).with_state(Dropped::default());
    Server::start(app)
}

#[tokio::test]
async fn default_deadline_for_requests_and_events() {
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
async fn the_maximum_is_for_what_requests_ask_only() {
    let config = Config::new().max_request_timeout(Duration::from_millis(20));
    let server = hanging(config.handler_timeout(Duration::from_millis(300)));
    let mut client = server.connect("/ws").await;
    let begun = std::time::Instant::now();
    client.send_request("HANG", "c1", json!({})).await;
    client.expect_error("RPC_ERROR", "DEADLINE_EXCEEDED").await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn timeouts_of_requests_are_clamped() {
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
async fn connection_lost_drops_the_handler() {
    let server = hanging(Config::new());
    let mut client = server.connect("/ws").await;
    client.send_request("HANG", "c1", json!({})).await;
    drop(client);
    server.wait_for("/dropped", "dropped", &json!(1)).await;
    let mut client = server.connect("/ws").await;
    client.send_request("HANG", "c1", json!({})).await;
    assert_eq!(client.close(1000).await, 1000);
    server.wait_for("/dropped", "dropped", &json!(2)).await;
}

#[tokio::test]
async fn correlation_id_in_flight() {
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
async fn event_handler_fails() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("JOIN", json!({ "topic": "private:x" })).await;
    client.expect_error("ERROR", "PERMISSION_DENIED").await;
    let error = client.request("JOIN", "c1", json!({ "topic": "private:x" })).await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("ERROR"), &json!("c1")));
    client.assert_alive().await;
}
