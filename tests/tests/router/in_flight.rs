//! What counts as in flight.

use std::{error::Error as _, sync::Arc, time::Duration};

use axum::{Router, extract::State};
use futures_util::SinkExt as _;
use serde_json::json;
use switchboard::{Config, Conn, Failure, RefreshToken, UnknownMessage, WsError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Server, from_messagepack},
    serve::ws_route,
};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

use crate::Pong;

#[ws_rpc("ASK", response = Pong)]
struct Ask {}

async fn ask(_: Ask) -> Pong {
    Pong::new("asked")
}

type Go = Arc<Semaphore>;

async fn refresh(State(go): State<Go>, _: RefreshToken) {
    go.acquire().await.unwrap().forget();
}

async fn unknown(State(go): State<Go>, _: UnknownMessage) -> Result<(), WsError> {
    go.acquire().await.unwrap().forget();
    Err(WsError::not_found("nothing"))
}

#[tokio::test]
async fn an_id_has_one_terminal_whatever_answers_under_it() {
    let go = Go::new(Semaphore::new(0));
    let ws = WsRouter::new().on(ask).on_refresh(refresh).fallback(unknown);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(Arc::clone(&go)));
    let mut client = server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.json")]).await.unwrap();
    client.expect("$ws:hello").await;
    for (first, terminal) in [("$ws:refresh", "$ws:refreshed"), ("UNKNOWN", "RPC_ERROR")] {
        // The second waits behind the first, and is told the same.
        for message_type in [first, "ASK", first] {
            client.send_request(message_type, "id", json!({ "token": "x" })).await;
        }
        client.text(r#"{"type":"__heartbeat"}"#).await;
        assert_eq!(client.recv().await["type"], "__heartbeat_ack");
        go.add_permits(1);
        let answer = client.recv().await;
        assert_eq!((&answer["type"], &answer["meta"]["correlationId"]), (&json!(terminal), &json!("id")));
        for _ in 0..2 {
            let refused = client.expect_error("ERROR", "ALREADY_EXISTS").await;
            assert_eq!(refused["details"], json!({ "correlationId": "id" }));
        }
        // It is free again.
        assert_eq!(client.request("ASK", "id", json!({})).await["payload"]["text"], "asked");
    }
}

#[ws_message("CAUSE")]
struct Cause {
    of: Option<String>,
}

async fn failed(conn: Conn, failure: Failure) {
    let of = failure.error().source().map(ToString::to_string);
    conn.send(Cause { of }).unwrap();
}

#[ws_message("STORE")]
struct Store {}

async fn store(_: Store) -> Result<(), WsError> {
    Err(WsError::not_found("nothing").with_source(std::io::Error::other("the disk")))
}

#[tokio::test]
async fn error_hooks_see_the_cause_of_a_message_with_an_idempotency_key() {
    let server = crate::serve(WsRouter::new().on(store).on_error(failed));
    let mut client = server.connect("/ws").await;
    // The second is told what became of the first.
    for cause in [Some("the disk"), None] {
        client.text(r#"{"type":"STORE","meta":{"idempotencyKey":"k"},"payload":{}}"#).await;
        client.expect_error("ERROR", "NOT_FOUND").await;
        assert_eq!(client.expect("CAUSE").await, json!({ "of": cause }));
    }
}

#[ws_message("HOLD")]
struct Hold {}

#[ws_message("VALUES")]
struct Values {
    values: Vec<f64>,
}

async fn hold(_: Hold) -> Pong {
    tokio::time::sleep(Duration::from_millis(100)).await;
    Pong::new("held")
}

async fn values(values: Values) -> Pong {
    Pong::new(values.values.len().to_string())
}

/// A number takes 9 bytes in MessagePack and 19 in the JSON that is kept of it.
#[tokio::test]
async fn the_inbox_counts_what_is_kept_of_messagepack() {
    let config = Config::new().max_inbox(32, 1500);
    let server = crate::serve(WsRouter::new().config(config).on(hold).on(values));
    let mut client = server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.msgpack")]).await.unwrap();
    for message in [
        json!({ "type": "HOLD", "payload": {} }),
        json!({ "type": "VALUES", "payload": { "values": vec![0.123_456_789_012_345_67; 100] } }),
        json!({ "type": "__heartbeat" }),
    ] {
        client.ws.send(Message::binary(rmp_serde::to_vec(&message).unwrap())).await.unwrap();
    }
    let mut types = Vec::new();
    for _ in 0..4 {
        let message = from_messagepack(&client.frame().await);
        types.push(message["type"].as_str().unwrap().to_owned());
    }
    // Nothing was read behind the values while they waited.
    assert_eq!(types, ["$ws:hello", "PONG", "PONG", "__heartbeat_ack"]);
}
