//! Raw frames: rows 002-1, 002-2 and 002-3 of the checklist.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use switchboard::{Conn, RawText, SendError, WsError, WsRouter};
use switchboard_tests::{client::Server, echo};
use tokio_tungstenite::tungstenite::Message;

use crate::serve;

#[tokio::test]
async fn raw_text_is_greeted_and_echoed() {
    async fn greet(conn: Conn) -> Result<(), SendError> {
        conn.send_text("Welcome!")
    }
    async fn said(conn: Conn, text: RawText) -> Result<(), SendError> {
        conn.send_text(format!("You said: {text}"))
    }
    let server = serve(WsRouter::new().on_open(greet).on_text(said));
    let mut client = server.connect("/ws").await;
    client.text("hello").await;
    assert_eq!(client.frame().await, Message::text("Welcome!"));
    assert_eq!(client.frame().await, Message::text("You said: hello"));
    assert_eq!(client.close(1000).await, 1000);
    assert_eq!(server.http("GET", "/ws", None).await.0, 426);
}

#[tokio::test]
async fn json_can_be_read_by_hand() {
    fn now() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis()).unwrap()
    }
    async fn handle(conn: Conn, text: RawText) -> Result<(), WsError> {
        let reply = match serde_json::from_str::<Value>(&text) {
            Ok(message) => match message["type"].as_str() {
                Some("CHAT") => json!({ "type": "CHAT_ECHO", "original": message["content"], "timestamp": now() }),
                Some("PING") => json!({ "type": "PONG", "timestamp": now() }),
                _ => json!({ "type": "ERROR", "message": "unknown type" }),
            },
            Err(_) => json!({ "type": "ERROR", "message": "not JSON" }),
        };
        Ok(conn.send_text(reply.to_string())?)
    }
    let server = serve(WsRouter::new().on_text(handle));
    let mut client = server.connect("/ws").await;
    for (text, expected) in [
        (r#"{"type":"CHAT","content":{"text":"hi"}}"#, json!({ "type": "CHAT_ECHO", "original": { "text": "hi" } })),
        (r#"{"type":"PING"}"#, json!({ "type": "PONG" })),
        (r#"{"type":"NOPE"}"#, json!({ "type": "ERROR", "message": "unknown type" })),
        ("{", json!({ "type": "ERROR", "message": "not JSON" })),
    ] {
        let before = now();
        client.text(text).await;
        let mut answer = client.recv().await;
        let timestamp = answer.as_object_mut().unwrap().remove("timestamp");
        assert_eq!(answer, expected);
        assert_eq!(timestamp.is_none(), answer["type"] == "ERROR");
        if let Some(timestamp) = timestamp {
            assert!((before..=now()).contains(&timestamp.as_u64().unwrap()), "{timestamp}");
        }
    }
}

#[tokio::test]
async fn echo_server_echoes_text_and_binary_up_to_its_limit() {
    let server = Server::start(echo::app());
    let mut client = server.upgrade("/", &[("origin", "http://any.example")]).await.unwrap();
    for len in [0, 1, 125, 126, 65_535, 65_536, 4_000_000] {
        let frame = Message::text("é".repeat(len / 2));
        client.ws.send(frame.clone()).await.unwrap();
        assert_eq!(client.frame().await, frame);
        let frame = Message::Binary(Bytes::from(vec![0xfe; len]));
        client.ws.send(frame.clone()).await.unwrap();
        assert_eq!(client.frame().await, frame);
    }
}
