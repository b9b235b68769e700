//! Section 2: messages that are malformed, unknown or invalid.

use axum::Router;
use serde_json::json;
use switchboard::{Config, Meta, WsRouter, ws_message, ws_meta};
use switchboard_tests::{client::Server, serve::ws_route};

use crate::{failures::situations::hanging, server};

#[tokio::test]
async fn malformed_messages_are_errors() {
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
async fn bad_messages_limit_is_a_setting() {
    let server = hanging(Config::new().max_bad_messages(3));
    let mut client = server.connect("/ws").await;
    for _ in 0..2 {
        client.text("x").await;
        client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    }
    client.assert_alive().await;
    for _ in 0..3 {
        client.text("x").await;
        client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    }
    assert_eq!(client.expect_close().await.0, 1008);
    // 0 is for none.
    let server = hanging(Config::new().max_bad_messages(0));
    let mut client = server.connect("/ws").await;
    for round in 0..100 {
        client.text(if round % 2 == 0 { "x" } else { r#"{"type":"NOPE"}"# }).await;
        client.expect("ERROR").await;
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn an_unknown_type_is_an_error() {
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
async fn a_payload_that_fails_validation_is_an_error() {
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

/// Neither the value nor serde's own text, which has it, reaches the wire.
#[tokio::test]
async fn payload_fails_to_decode_and_the_rejected_value_stays_here() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for payload in [
        json!({ "text": 987_654 }),
        json!({ "text": ["987654"] }),
        json!({ "text": { "987654": 987_654 } }),
        json!({ "text": "987654".repeat(17) }),
        json!({ "text": "x", "y": 987_654 }),
        json!("987654"),
    ] {
        client.send("PING", payload.clone()).await;
        let error = client.recv().await;
        assert_eq!((&error["type"], &error["payload"]["code"]), (&json!("ERROR"), &json!("INVALID_ARGUMENT")));
        let error = error.to_string();
        assert!(!error.contains("987654") && !error.contains("invalid type"), "{payload}: {error}");
    }
    client.assert_alive().await;
}

#[ws_meta]
struct NoteMeta {
    #[validate(length(min = 1, max = 3))]
    room_id: String,
}

#[ws_message("NOTE", meta = NoteMeta)]
struct Note {
    #[validate(length(max = 3))]
    text: String,
}

#[ws_message("NOTED")]
struct Noted {
    text: String,
}

#[tokio::test]
async fn meta_of_the_type_fails_to_validate() {
    let ws = WsRouter::<()>::new().on(async |_: Meta<NoteMeta>, note: Note| Noted { text: note.text });
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = server.connect("/ws").await;
    for (room, text, path) in [("secret", "x", "meta.roomId"), ("", "x", "meta.roomId"), ("r", "secret", "text")] {
        let note = json!({ "type": "NOTE", "meta": { "roomId": room }, "payload": { "text": text } });
        client.text(note.to_string()).await;
        let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        let issues = error["details"]["issues"].as_array().unwrap();
        assert_eq!((issues.len(), &issues[0]["path"], &issues[0]["code"]), (1, &json!(path), &json!("length")));
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let note = json!({ "type": "NOTE", "meta": { "roomId": "r" }, "payload": { "text": "x" } });
    client.text(note.to_string()).await;
    assert_eq!(client.expect("NOTED").await, json!({ "text": "x" }));
}
