//! Section 1: frames, meta, types, strictness.

use axum::{Router, http::StatusCode};
use serde_json::{Value, json};
use switchboard::{BearerToken, Conn, WsError, WsRouter, ws_message, ws_meta};
use switchboard_tests::{
    client::{Server, masked},
    serve::ws_route,
};
use tokio_tungstenite::tungstenite::Message;

use crate::server;

pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn an_event_reaches_its_handler() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.text(r#"{"type":"PING","meta":{"timestamp":1700000000000},"payload":{"text":"x"}}"#).await;
    let pong = client.recv().await;
    assert_eq!((&pong["type"], &pong["payload"]), (&json!("PONG"), &json!({ "text": "x" })));
    assert_eq!(keys(&pong["meta"]), ["timestamp"]);
    assert!(pong["meta"]["timestamp"].as_u64().unwrap() > 1_700_000_000_000);
}

#[tokio::test]
async fn a_request_is_answered_with_its_correlation_id() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let sum = client.request("ADD", "c1", json!({ "a": 1, "b": 2.5 })).await;
    assert_eq!((&sum["type"], &sum["payload"]), (&json!("SUM"), &json!({ "result": 3.5 })));
    assert_eq!(keys(&sum["meta"]), ["correlationId", "timestamp"]);
    assert_eq!(sum["meta"]["correlationId"], "c1");
}

#[tokio::test]
async fn meta_correlation_ids_come_back_as_they_were() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for id in ["\"", "\\ \n \u{1F600}", "\u{0}", &"é".repeat(64)] {
        let sum = client.request("ADD", id, json!({ "a": 1, "b": 2 })).await;
        assert_eq!(sum["meta"]["correlationId"], id);
    }
}

#[tokio::test]
async fn an_error_of_an_event_has_no_correlation_id() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("PING", json!({})).await;
    let error = client.recv().await;
    assert_eq!(error["type"], "ERROR");
    assert_eq!(keys(&error["meta"]), ["timestamp"]);
    assert_eq!(keys(&error["payload"]), ["code", "details", "message", "retryable"]);
}

#[tokio::test]
async fn an_error_of_a_request_has_its_correlation_id() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let error = client.request("ADD", "c1", json!({})).await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("c1")));
    assert_eq!(keys(&error["meta"]), ["correlationId", "timestamp"]);
    assert_eq!(error["payload"]["code"], "INVALID_ARGUMENT");
}

#[tokio::test]
async fn a_heartbeat_is_answered_even_while_a_handler_runs() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("SLOW", json!({ "id": 1, "ms": 300 })).await;
    client.text(r#"{"type":"__heartbeat"}"#).await;
    let ack = client.recv().await;
    assert_eq!(ack["type"], "__heartbeat_ack");
    assert!(ack["meta"]["ts"].as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!((keys(&ack), keys(&ack["meta"])), (vec!["meta", "type"], vec!["ts"]));
    assert_eq!(client.expect("DONE").await, json!({ "id": 1 }));
}

#[tokio::test]
async fn binary_frame_is_read_as_json_where_there_is_no_handler() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.raw(&masked(0x82, br#"{"type":"PING","payload":{"text":"b"}}"#)).await;
    assert_eq!(client.expect("PONG").await, json!({ "text": "b" }));
    client.raw(&masked(0x82, b"\xff\xfe")).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    client.assert_alive().await;
}

#[tokio::test]
async fn binary_frame_goes_to_the_binary_handler() {
    let server = server();
    let mut client = server.connect("/binary").await;
    client.raw(&masked(0x82, b"abc")).await;
    let Message::Binary(bytes) = client.frame().await else { panic!("not binary") };
    assert_eq!(&bytes[..], b"cba");
    client.assert_alive().await;
}

#[ws_message("NEWS")]
struct News {
    text: String,
}

#[ws_message("FOLLOW")]
struct Follow {}

#[tokio::test]
async fn publishing_puts_neither_topic_nor_sender_on_the_wire() {
    let user = async |token: BearerToken| Ok::<_, StatusCode>(token.as_str().to_owned());
    let follow = async |conn: Conn<String>, _: Follow| {
        conn.subscribe("gossip").await?;
        Ok::<_, WsError>(News { text: "from now on".into() })
    };
    let news = async |conn: Conn<String>, news: News| conn.publish("gossip", news).await.map(|_| ());
    let ws = WsRouter::new().on(follow).on(news).authenticate(user).identify(|user| Some(user.clone().into()));
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut clients = Vec::new();
    for user in ["alice", "bob"] {
        let login = format!("Bearer {user}");
        let mut client = server.upgrade("/ws", &[("authorization", &login)]).await.unwrap();
        client.send("FOLLOW", json!({})).await;
        client.expect("NEWS").await;
        clients.push(client);
    }
    clients[0].send("NEWS", json!({ "text": "x" })).await;
    let publisher = clients[0].headers["x-client-id"].to_str().unwrap().to_owned();
    for client in &mut clients {
        let frame = client.frame().await.into_text().unwrap();
        for secret in ["gossip", "alice", &publisher] {
            assert!(!frame.contains(secret), "{secret} is in {frame}");
        }
        let news: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(keys(&news), ["meta", "payload", "type"]);
        assert_eq!(keys(&news["meta"]), ["timestamp"]);
        assert_eq!(news["payload"], json!({ "text": "x" }));
    }
}

#[tokio::test]
async fn message_without_payload_has_no_payload_key() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.text(r#"{"type":"EMPTY"}"#).await;
    let ok = client.recv().await;
    assert_eq!((&ok["type"], ok.get("payload")), (&json!("EMPTY_OK"), None));
    for payload in ["{}", "null"] {
        client.text(format!(r#"{{"type":"EMPTY","payload":{payload}}}"#)).await;
        let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        let issue = &error["details"]["issues"][0];
        assert_eq!((&issue["path"], &issue["code"]), (&json!(""), &json!("unknown_field")));
    }
}

#[tokio::test]
async fn meta_that_is_no_object_counts_as_empty_and_unknown_keys_are_ignored() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for meta in ["null", "[]", "[{\"correlationId\":1}]", "1", "\"x\"", "true", "{\"x\":{\"y\":[]},\"clientId\":7}"] {
        client.text(format!(r#"{{"type":"PING","meta":{meta},"payload":{{"text":"x"}}}}"#)).await;
        assert_eq!(client.expect("PONG").await, json!({ "text": "x" }), "{meta}");
    }
}

#[tokio::test]
async fn meta_correlation_id_must_be_a_string_of_1_to_128_bytes() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for id in [json!(""), json!(1), json!(null), json!({}), json!("x".repeat(129)), json!("é".repeat(65))] {
        for (message_type, payload) in [("PING", json!({ "text": "x" })), ("ADD", json!({ "a": 1, "b": 1 }))] {
            let message = json!({ "type": message_type, "meta": { "correlationId": id }, "payload": payload });
            client.text(message.to_string()).await;
            client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        }
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn a_request_without_a_correlation_id_is_refused() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("ADD", json!({ "a": 1, "b": 1 })).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    client.assert_alive().await;
}

#[tokio::test]
async fn meta_event_with_correlation_id_gets_it_back() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let pong = client.request("PING", "e1", json!({ "text": "x" })).await;
    assert_eq!((&pong["type"], &pong["meta"]["correlationId"]), (&json!("PONG"), &json!("e1")));
    let error = client.request("PING", "e2", json!({ "text": "" })).await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("ERROR"), &json!("e2")));
}

#[tokio::test]
async fn a_timeout_must_be_a_positive_number() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for timeout in ["0", "-5", "\"5\"", "true", "[]"] {
        let meta = format!(r#"{{"correlationId":"t","timeoutMs":{timeout}}}"#);
        client.text(format!(r#"{{"type":"ADD","meta":{meta},"payload":{{"a":1,"b":1}}}}"#)).await;
        client.expect_error("RPC_ERROR", "INVALID_ARGUMENT").await;
    }
    // An event has a deadline, too; its error is that of an event.
    client.text(r#"{"type":"PING","meta":{"correlationId":"e","timeoutMs":0},"payload":{"text":"x"}}"#).await;
    let error = client.recv().await;
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("ERROR"), &json!("e")));
    assert_eq!(error["payload"]["code"], "INVALID_ARGUMENT");
    for timeout in ["null", "0.5e4", "5000", "1e99"] {
        let meta = format!(r#"{{"correlationId":"t","timeoutMs":{timeout}}}"#);
        client.text(format!(r#"{{"type":"ADD","meta":{meta},"payload":{{"a":1,"b":1}}}}"#)).await;
        client.expect("SUM").await;
    }
}

#[tokio::test]
async fn meta_keys_of_the_type() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let text = |meta: &str| format!(r#"{{"type":"ROOM_NOTE","meta":{meta},"payload":{{"text":"x"}}}}"#);
    client.text(text(r#"{"roomId":"r","other":1,"clientId":"forged","receivedAt":0}"#)).await;
    assert_eq!(client.expect("ROOM_NOTED").await, json!({ "text": "x", "roomId": "r" }));
    for (meta, path, code) in [
        ("{}", "meta.roomId", "missing_field"),
        ("null", "meta.roomId", "missing_field"),
        (r#"{"roomId":1}"#, "meta.roomId", "type"),
    ] {
        client.text(text(meta)).await;
        let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        let issue = &error["details"]["issues"][0];
        assert_eq!((&issue["path"], &issue["code"]), (&json!(path), &json!(code)), "{meta}");
    }
}

#[ws_meta]
struct Room {
    room: String,
}

#[ws_message("NOTICE", meta = Room)]
struct Notice {
    text: String,
}

#[ws_message("NOTIFY")]
struct Notify {
    #[serde(default)]
    of: String,
}

#[tokio::test]
async fn meta_keys_of_the_type_are_checked_also_where_no_handler_asks_for_them() {
    let note = async |notice: Notice| Notify { of: notice.text };
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().on(note))));
    let mut client = server.connect("/ws").await;
    let text = |meta: &str| format!(r#"{{"type":"NOTICE","meta":{meta},"payload":{{"text":"x"}}}}"#);
    client.text(text(r#"{"room":7}"#)).await;
    let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    assert_eq!(error["details"]["issues"][0]["path"], "meta.room");
    client.text(text(r#"{"room":"blue"}"#)).await;
    assert_eq!(client.expect("NOTIFY").await, json!({ "of": "x" }));
}

#[tokio::test]
async fn meta_keys_of_the_type_go_out() {
    let notify =
        async |conn: Conn, _: Notify| conn.send_with_meta(Notice { text: "x".into() }, Room { room: "blue".into() });
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().on(notify))));
    let mut client = server.connect("/ws").await;
    client.send("NOTIFY", json!({})).await;
    let notice = client.recv().await;
    assert_eq!((&notice["type"], &notice["payload"]), (&json!("NOTICE"), &json!({ "text": "x" })));
    assert_eq!(keys(&notice["meta"]), ["room", "timestamp"]);
    assert_eq!(notice["meta"]["room"], "blue");
}

#[tokio::test]
async fn strictness_unknown_root_keys_are_ignored() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.text(r#"{"v":1,"type":"PING","payload":{"text":"x"},"data":{"a":[{}]}}"#).await;
    assert_eq!(client.expect("PONG").await, json!({ "text": "x" }));
}

#[tokio::test]
async fn strictness_payloads_are_strict_and_nothing_is_coerced() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for (message_type, payload, path, code) in [
        ("PING", json!({ "text": "x", "y": 1 }), "y", "unknown_field"),
        ("PING", json!({ "text": 1 }), "text", "type"),
        ("PING", json!({ "text": null }), "text", "type"),
        ("SAY", json!({ "topic": "t", "text": "x", "includeSelf": "false" }), "includeSelf", "type"),
        ("SAY", json!({ "topic": "t", "text": "x", "includeSelf": 0 }), "includeSelf", "type"),
        ("PING", json!([]), "", "type"),
        ("PING", json!(["x"]), "", "type"),
        ("PING", json!("x"), "", "type"),
        ("PING", json!(null), "", "type"),
    ] {
        client.send(message_type, payload.clone()).await;
        let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        let issue = &error["details"]["issues"][0];
        assert_eq!((&issue["path"], &issue["code"]), (&json!(path), &json!(code)), "{payload}");
    }
    client.text(r#"{"type":"PING"}"#).await;
    let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    let issue = &error["details"]["issues"][0];
    assert_eq!((&issue["path"], &issue["code"]), (&json!(""), &json!("missing_field")));
}
