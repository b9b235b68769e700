//! Section 1: other envelopes.

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use switchboard_tests::client::{Client, from_messagepack};
use tokio_tungstenite::tungstenite::Message;

use crate::{messages::frames::keys, server};

type To = fn(&Value) -> Message;
type From = fn(&Message) -> Value;

async fn send(client: &mut Client, to: To, message: Value) {
    client.ws.send(to(&message)).await.unwrap();
}

/// What every client sees, whatever its envelope, as a standard one.
async fn exchange(client: &mut Client, to: To, from: From) {
    let ping = json!({ "type": "PING", "meta": {}, "payload": { "text": "hi" } });
    send(client, to, ping).await;
    let pong = from(&client.frame().await);
    assert_eq!((&pong["type"], &pong["payload"]), (&json!("PONG"), &json!({ "text": "hi" })));
    assert!(pong["meta"]["timestamp"].is_u64());
    send(client, to, json!({ "type": "EMPTY" })).await;
    let empty = from(&client.frame().await);
    assert_eq!((&empty["type"], empty.get("payload")), (&json!("EMPTY_OK"), None));
    let add = json!({ "type": "ADD", "meta": { "correlationId": "c" }, "payload": { "a": 1, "b": 2 } });
    send(client, to, add).await;
    let sum = from(&client.frame().await);
    assert_eq!((&sum["meta"]["correlationId"], &sum["payload"]), (&json!("c"), &json!({ "result": 3.0 })));
    let bad = json!({ "type": "PING", "payload": { "txet": "hi" } });
    send(client, to, bad).await;
    let error = from(&client.frame().await);
    assert_eq!((&error["type"], &error["payload"]["code"]), (&json!("ERROR"), &json!("INVALID_ARGUMENT")));
    assert_eq!(error["payload"]["details"]["issues"][0]["path"], "text");
    let count = json!({ "type": "COUNT", "meta": { "correlationId": "c" }, "payload": { "to": 1 } });
    send(client, to, count).await;
    let progress = from(&client.frame().await);
    assert_eq!((&progress["type"], &progress["payload"]), (&json!("$ws:rpc-progress"), &json!({ "n": 1 })));
    assert_eq!(from(&client.frame().await)["payload"], json!({ "total": 1 }));
    control_frames(client, to, from).await;
    calls(client, to, from).await;
}

async fn control_frames(client: &mut Client, to: To, from: From) {
    send(client, to, json!({ "type": "__heartbeat" })).await;
    let ack = from(&client.frame().await);
    assert_eq!((&ack["type"], keys(&ack)), (&json!("__heartbeat_ack"), vec!["meta", "type"]));
    assert_eq!(keys(&ack["meta"]), ["ts"]);
    let meta = json!({ "correlationId": "s" });
    send(client, to, json!({ "type": "SLEEP", "meta": meta, "payload": { "ms": 60_000 } })).await;
    send(client, to, json!({ "type": "$ws:abort", "meta": meta })).await;
    let error = from(&client.frame().await);
    assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("s")));
    assert_eq!(error["payload"]["code"], "CANCELLED");
}

/// Requests of the server: one is answered, one gets an error.
async fn calls(client: &mut Client, to: To, from: From) {
    let answers = [
        ("ANSWER", json!({ "text": "me" }), "ANSWERED", json!({ "text": "me" })),
        (
            "RPC_ERROR",
            json!({ "code": "OUT_OF_CAKE", "message": "sorry" }),
            "ERROR",
            json!({ "code": "OUT_OF_CAKE", "message": "sorry" }),
        ),
    ];
    for (answer, payload, expected_type, expected) in answers {
        send(client, to, json!({ "type": "ASK_ME", "payload": { "question": "who?" } })).await;
        let ask = from(&client.frame().await);
        assert_eq!((&ask["type"], &ask["payload"]), (&json!("ASK"), &json!({ "question": "who?" })));
        let meta = json!({ "correlationId": ask["meta"]["correlationId"] });
        send(client, to, json!({ "type": answer, "meta": meta, "payload": payload })).await;
        let end = from(&client.frame().await);
        assert_eq!((&end["type"], &end["payload"]), (&json!(expected_type), &expected));
    }
}

fn json_of(message: &Message) -> Value {
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

fn to_flat(message: &Value) -> Message {
    let mut message = message.clone();
    if let Some(Value::Object(payload)) = message.as_object_mut().unwrap().remove("payload") {
        message.as_object_mut().unwrap().extend(payload);
    }
    Message::text(message.to_string())
}

fn from_flat(message: &Message) -> Value {
    let Value::Object(mut root) = json_of(message) else { panic!("no object") };
    assert!(!root.contains_key("payload"));
    let mut standard = serde_json::Map::new();
    for key in ["type", "meta"] {
        standard.extend(root.remove(key).map(|value| (key.to_owned(), value)));
    }
    if !root.is_empty() {
        standard.insert("payload".into(), root.into());
    }
    standard.into()
}

#[tokio::test]
async fn a_route_may_speak_flat_envelopes() {
    exchange(&mut server().connect("/flat").await, to_flat, from_flat).await;
}

fn to_data(message: &Value) -> Message {
    let mut message = message.clone();
    if let Some(payload) = message.as_object_mut().unwrap().remove("payload") {
        message["data"] = payload;
    }
    Message::text(message.to_string())
}

fn from_data(message: &Message) -> Value {
    let mut message = json_of(message);
    assert!(message.get("payload").is_none());
    if let Some(payload) = message.as_object_mut().unwrap().remove("data") {
        message["payload"] = payload;
    }
    message
}

#[tokio::test]
async fn a_route_may_name_the_payload_otherwise() {
    exchange(&mut server().connect("/data").await, to_data, from_data).await;
}

/// `from`: of the route's envelope.
async fn hello_and_goaway(path: &str, from: From) {
    let server = server();
    let offer = [("sec-websocket-protocol", "switchboard.v1.json")];
    let mut client = server.upgrade(path, &offer).await.unwrap();
    let hello = from(&client.frame().await);
    assert_eq!(hello["type"], "$ws:hello");
    assert_eq!(hello["payload"]["clientId"].as_str(), client.headers["x-client-id"].to_str().ok());
    assert_eq!(hello["payload"]["heartbeatMs"], 25_000);
    assert_eq!(hello["payload"]["limits"]["maxMessageBytes"], 65_536);
    assert_eq!(server.http("POST", "/drain", Some(json!({ "seconds": 0 }))).await.0, 202);
    let goaway = from(&client.frame().await);
    assert_eq!(goaway["type"], "$ws:goaway");
    assert!(goaway["payload"]["reason"].is_string() && goaway["payload"]["retryInMs"].is_u64(), "{goaway}");
    assert_eq!(client.expect_close().await.0, 1012);
}

#[tokio::test]
async fn hello_follows_the_envelope() {
    hello_and_goaway("/flat", from_flat).await;
    hello_and_goaway("/data", from_data).await;
}

fn to_messagepack(message: &Value) -> Message {
    Message::binary(rmp_serde::to_vec(message).unwrap())
}

#[tokio::test]
async fn messagepack_is_chosen_by_subprotocol() {
    let server = server();
    let offer = [("sec-websocket-protocol", "switchboard.v1.msgpack, switchboard.v1.json")];
    let mut client = server.upgrade("/ws", &offer).await.unwrap();
    assert_eq!(client.headers["sec-websocket-protocol"], "switchboard.v1.msgpack");
    assert_eq!(from_messagepack(&client.frame().await)["type"], "$ws:hello");
    exchange(&mut client, to_messagepack, from_messagepack).await;
    // Text is understood, too; rubbish is not.
    client.send("PING", json!({ "text": "hi" })).await;
    assert_eq!(from_messagepack(&client.frame().await)["type"], "PONG");
    for bad in [&[0xc1][..], &[0xdd, 0xff, 0xff, 0xff, 0xff], b"{}", &[0x90]] {
        client.ws.send(Message::binary(bad.to_vec())).await.unwrap();
        assert_eq!(from_messagepack(&client.frame().await)["payload"]["code"], "INVALID_ARGUMENT");
    }
}

/// Such as the timestamp that a client's library makes of a date.
#[tokio::test]
async fn kind_f21_a_request_with_an_extension_type_is_answered() {
    let server = server();
    let mut client = server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.msgpack")]).await.unwrap();
    client.frame().await;
    let request = |place: &[u8], timestamp: &[u8]| {
        let id = b"\x83\xa4type\xa3ADD\xa4meta\x81\xadcorrelationId\xa1c\xa7payload\x82\xa1a\x01";
        Message::binary([id, place, timestamp].concat())
    };
    for timestamp in [&b"\xd6\xff\0\0\0\x09"[..], b"\xd7\xff\0\0\0\0\0\0\0\x09", b"\xd4\x05\x01"] {
        client.ws.send(request(b"\xa1b", timestamp)).await.unwrap();
        let error = from_messagepack(&client.frame().await);
        assert_eq!((&error["type"], &error["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!("c")), "{error}");
        let issue = json!([{ "path": "b", "code": "type", "message": "must be a number" }]);
        assert_eq!(error["payload"]["details"]["issues"], issue);
    }
}

#[tokio::test]
async fn one_publish_reaches_members_in_each_ones_envelope() {
    let server = server();
    let offer = [("sec-websocket-protocol", "switchboard.v1.msgpack")];
    let mut packed = server.upgrade("/ws", &offer).await.unwrap();
    packed.frame().await;
    let mut flat = server.connect("/flat").await;
    let mut plain = server.connect("/ws").await;
    packed.ws.send(to_messagepack(&json!({ "type": "JOIN", "payload": { "topic": "t" } }))).await.unwrap();
    packed.frame().await;
    flat.text(r#"{"type":"JOIN","topic":"t"}"#).await;
    flat.frame().await;
    plain.send("JOIN", json!({ "topic": "t" })).await;
    plain.expect("JOINED").await;
    for n in 0..20 {
        let say = json!({ "topic": "t", "text": n.to_string(), "includeSelf": true });
        plain.send("SAY", say).await;
    }
    for n in 0..20 {
        let expected = json!({ "topic": "t", "text": n.to_string() });
        assert_eq!(plain.expect("SAID").await, expected);
        assert_eq!(from_messagepack(&packed.frame().await)["payload"], expected);
        assert_eq!(from_flat(&flat.frame().await)["payload"], expected);
    }
}
