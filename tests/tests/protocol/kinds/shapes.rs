//! Payloads of many shapes over JSON and MessagePack: what is refused, and where.

use std::collections::{BTreeMap, HashMap};

use axum::Router;
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use switchboard::{Meta, WsRouter, ws_message, ws_meta, ws_payload};
use switchboard_tests::{
    client::{Client, Server, from_messagepack},
    serve::ws_route,
};
use tokio_tungstenite::tungstenite::Message;

#[ws_payload]
#[derive(PartialEq, Eq, Hash)]
struct Id(u64);

#[ws_meta]
struct Marks {
    #[serde(default)]
    by_id: HashMap<u64, String>,
    #[serde(default)]
    p: Option<(u8, u8)>,
    #[serde(default)]
    single: f32,
}

#[ws_message("WITH_META", meta = Marks)]
struct WithMeta {}

#[ws_message("BY_ID")]
struct ById {
    by_id: HashMap<u64, String>,
    #[serde(default)]
    by_new: HashMap<Id, u8>,
    #[serde(default)]
    by_bool: BTreeMap<bool, u8>,
    text: String,
}

#[ws_payload]
struct Page {
    limit: u8,
    #[serde(default)]
    scale: f32,
}

#[ws_payload]
#[serde(tag = "t", content = "c")]
enum Content {
    Page(Page),
    Pair(u8, u8),
    Bare,
}

#[ws_payload]
#[serde(tag = "kind")]
enum Shape {
    Circle { radius: f32 },
    Page(Page),
}

#[ws_payload]
#[serde(tag = "t", content = "c", rename = "Another")]
enum Renamed {
    Page(Page),
    Bare,
}

#[ws_payload]
#[serde(tag = "kind")]
struct Tagged {
    a: u8,
}

#[ws_payload]
#[serde(untagged)]
enum Size {
    Number(f32),
    Text(String),
}

#[ws_message("SHAPES")]
#[serde(default)]
#[derive(Default)]
struct Shapes {
    flat: Option<Flat>,
    content: Option<Content>,
    pair: (u8, u8),
    list: [u8; 3],
    single: f32,
    double: f64,
    optional: Option<f64>,
    singles: Vec<Option<f32>>,
    shape: Option<Shape>,
    size: Option<Size>,
    renamed: Option<Renamed>,
    tagged: Option<Tagged>,
    address: Option<std::net::IpAddr>,
}

#[ws_payload]
struct Flat {
    text: String,
    #[serde(flatten)]
    page: Page,
}

#[ws_message("DONE")]
struct Done {}

fn serve() -> Server {
    async fn with_meta(meta: Meta<Marks>, _: WithMeta) -> Done {
        drop(meta);
        Done {}
    }
    async fn by_id(message: ById) -> Done {
        drop((message.by_id, message.by_new, message.by_bool, message.text));
        Done {}
    }
    async fn shapes(_: Shapes) -> Done {
        Done {}
    }
    let router = WsRouter::new().on(with_meta).on(by_id).on(shapes);
    Server::start(Router::new().route("/ws", ws_route(router)))
}

/// A client for each codec.
struct Clients {
    json: Client,
    packed: Client,
}

impl Clients {
    async fn connect(server: &Server) -> Self {
        let offer = [("sec-websocket-protocol", "switchboard.v1.msgpack")];
        let mut packed = server.upgrade("/ws", &offer).await.unwrap();
        assert_eq!(from_messagepack(&packed.frame().await)["type"], "$ws:hello");
        Self { json: server.connect("/ws").await, packed }
    }

    /// What is answered to a message in each codec, which must be the same: nothing, or the issues.
    async fn issues(&mut self, message: &Value) -> Vec<String> {
        let found = self.issues_of_text(&message.to_string()).await;
        assert_eq!(self.issues_of_packed(&rmp_serde::to_vec(message).unwrap()).await, found, "{message}");
        found
    }

    async fn issues_of_text(&mut self, text: &str) -> Vec<String> {
        self.json.text(text).await;
        issues(&self.json.recv().await)
    }

    async fn issues_of_packed(&mut self, bytes: &[u8]) -> Vec<String> {
        self.packed.ws.send(Message::binary(bytes.to_vec())).await.unwrap();
        issues(&from_messagepack(&self.packed.frame().await))
    }
}

fn issues(reply: &Value) -> Vec<String> {
    if reply["type"] == "DONE" {
        return Vec::new();
    }
    assert_eq!((&reply["type"], &reply["payload"]["code"]), (&json!("ERROR"), &json!("INVALID_ARGUMENT")), "{reply}");
    let issues = reply["payload"]["details"]["issues"].as_array().unwrap();
    let text = |issue: &Value, key: &str| issue[key].as_str().unwrap().to_owned();
    issues.iter().map(|issue| format!("{} {}", text(issue, "path"), text(issue, "code"))).collect()
}

fn shapes(payload: &Value) -> Value {
    json!({ "type": "SHAPES", "payload": payload })
}

#[tokio::test]
async fn kind_f3_meta_has_the_keys_and_tuples_of_payloads() {
    let server = serve();
    let mut clients = Clients::connect(&server).await;
    for (meta, expected) in [
        (json!({ "byId": { "1": "a" }, "p": [1, 2] }), &[][..]),
        (json!({ "p": [1, 2, 3] }), &["meta.p type"]),
        (json!({ "p": [1] }), &["meta.p type"]),
        (json!({ "byId": { "x": "a" } }), &["meta.byId.x type"]),
        (json!({ "byId": { "1": 2 } }), &["meta.byId.1 type"]),
        (json!({ "single": 1e39 }), &["meta.single type"]),
    ] {
        let message = json!({ "type": "WITH_META", "meta": meta, "payload": {} });
        assert_eq!(clients.issues(&message).await, expected, "{message}");
    }
}

#[tokio::test]
async fn kind_f4_keys_that_are_numbers_are_not_blamed() {
    let server = serve();
    let mut clients = Clients::connect(&server).await;
    for (payload, expected) in [
        (json!({ "byId": { "1": "a" }, "byNew": { "7": 1 }, "byBool": { "true": 1 }, "text": "x" }), &[][..]),
        (json!({ "byId": { "1": "a" }, "byNew": { "7": 1 }, "text": 5 }), &["text type"]),
        (json!({ "byId": { "1": "a" }, "text": "x", "more": 5 }), &["more unknown_field"]),
        (json!({ "byId": { "-1": "a" }, "text": "x" }), &["byId.-1 type"]),
        (json!({ "byId": {}, "byNew": { "x": 1 }, "text": "x" }), &["byNew.x type"]),
        (json!({ "byId": {}, "byBool": { "1": 1 }, "text": "x" }), &["byBool.1 type"]),
    ] {
        let message = json!({ "type": "BY_ID", "payload": payload });
        assert_eq!(clients.issues(&message).await, expected, "{message}");
    }
    // Numbers as keys, which only MessagePack has.
    let with = |text: &[u8]| [b"\x82\xa4type\xa5BY_ID\xa7payload\x82\xa4byId\x81\x01\xa1a\xa4text", text].concat();
    assert_eq!(clients.issues_of_packed(&with(b"\xa1x")).await, [""; 0]);
    assert_eq!(clients.issues_of_packed(&with(b"\x05")).await, ["text type"]);
}

#[tokio::test]
async fn kind_f7_flattened_and_tagged_fields_are_named() {
    let server = serve();
    let mut clients = Clients::connect(&server).await;
    for (payload, expected) in [
        (json!({ "flat": { "text": "x", "limit": 1 }, "content": { "t": "page", "c": { "limit": 1 } } }), &[][..]),
        (json!({ "flat": { "text": "x", "limit": "ten" } }), &["flat.limit type"]),
        (json!({ "flat": { "text": "x", "limit": 300 } }), &["flat.limit type"]),
        (json!({ "flat": { "text": "x" } }), &["flat.limit missing_field"]),
        (json!({ "content": { "t": "page", "c": { "limit": "x" } } }), &["content.c.limit type"]),
        (json!({ "content": { "t": "page", "c": 5 } }), &["content.c type"]),
        (json!({ "content": { "t": "leaf", "c": 5 } }), &["content.t enum"]),
        (json!({ "shape": { "kind": "page", "limit": "x" } }), &["shape.limit type"]),
        (json!({ "size": [] }), &["size type"]),
    ] {
        assert_eq!(clients.issues(&shapes(&payload)).await, expected, "{payload}");
    }
}

#[tokio::test]
async fn kind_f8_tuples_say_how_many_elements_they_have() {
    let server = serve();
    let mut clients = Clients::connect(&server).await;
    for (payload, path, message) in [
        (json!({ "pair": [1, 2, 3] }), "pair", "must have 2 elements"),
        (json!({ "pair": [1] }), "pair", "must have 2 elements"),
        (json!({ "list": [1, 2] }), "list", "must have 3 elements"),
        (json!({ "content": { "t": "pair", "c": [1] } }), "content.c", "must have 2 elements"),
        (json!({ "pair": 5 }), "pair", "must be an array"),
    ] {
        assert_eq!(clients.issues(&shapes(&payload)).await, [format!("{path} type")], "{payload}");
        clients.json.text(shapes(&payload).to_string()).await;
        let error = clients.json.expect_error("ERROR", "INVALID_ARGUMENT").await;
        assert_eq!(error["details"]["issues"][0]["message"], message, "{payload}");
    }
}

#[tokio::test]
async fn the_order_of_tag_and_content_does_not_count() {
    let server = serve();
    let mut clients = Clients::connect(&server).await;
    for (tag, content, expected) in [
        ("page", r#"{"limit":1}"#, &[][..]),
        ("page", r#"{"limit":1,"x":1}"#, &["content.c.x unknown_field"]),
        ("page", r#"{"limit":"x"}"#, &["content.c.limit type"]),
        ("pair", "[1,2,3]", &["content.c type"]),
        ("bare", "null", &[]),
        ("leaf", "{}", &["content.t enum"]),
    ] {
        let tag = ("t", json!(tag));
        let content = ("c", serde_json::from_str(content).unwrap());
        for members in [[&tag, &content], [&content, &tag]] {
            let text: Vec<_> = members.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
            let text = format!(r#"{{"type":"SHAPES","payload":{{"content":{{{}}}}}}}"#, text.join(","));
            assert_eq!(clients.issues_of_text(&text).await, expected, "{text}");
            let mut packed = b"\x82\xa4type\xa6SHAPES\xa7payload\x81\xa7content\x82".to_vec();
            for member in members {
                packed.extend(rmp_serde::to_vec(&member.0).unwrap());
                packed.extend(rmp_serde::to_vec(&member.1).unwrap());
            }
            assert_eq!(clients.issues_of_packed(&packed).await, expected, "{text}");
        }
    }
}

#[tokio::test]
async fn kind_f9_tags_of_enums_with_another_name_and_of_structs() {
    let server = serve();
    let mut clients = Clients::connect(&server).await;
    for (text, expected) in [
        (r#""renamed":{"c":{"limit":1},"t":"page"}"#, &[][..]),
        (r#""renamed":{"c":{"limit":1,"x":1},"t":"page"}"#, &["renamed.c.x unknown_field"]),
        (r#""renamed":{"c":[1],"t":"page"}"#, &["renamed.c type"]),
        (r#""renamed":{"t":"page","c":[1]}"#, &["renamed.c type"]),
        (r#""tagged":{"kind":"Tagged","a":1}"#, &[]),
        (r#""tagged":{"kind":"Other","a":1}"#, &["tagged.kind unknown_field"]),
    ] {
        let text = format!(r#"{{"type":"SHAPES","payload":{{{text}}}}}"#);
        assert_eq!(clients.issues_of_text(&text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn kind_f12_a_text_that_is_not_valid_is_not_said_to_be_no_string() {
    let server = serve();
    let mut clients = Clients::connect(&server).await;
    for (payload, path, message) in [
        (json!({ "address": "x" }), "address", "is not a valid IP address"),
        (json!({ "address": 1 }), "address", "must be a string"),
        (json!({ "renamed": { "t": "bare", "c": 1 } }), "renamed.c", "is not valid"),
    ] {
        assert_eq!(clients.issues(&shapes(&payload)).await, [format!("{path} type")], "{payload}");
        clients.json.text(shapes(&payload).to_string()).await;
        let error = clients.json.expect_error("ERROR", "INVALID_ARGUMENT").await;
        assert_eq!(error["details"]["issues"][0]["message"], message, "{payload}");
    }
}

#[tokio::test]
async fn kind_f16_numbers_too_large_for_an_f32_are_refused() {
    let server = serve();
    let mut clients = Clients::connect(&server).await;
    for number in [1e39, -1e39, f64::MAX] {
        for (payload, expected) in [
            (json!({ "double": number, "optional": number }), &[][..]),
            (json!({ "single": number }), &["single type"]),
            (json!({ "singles": [1, null, number] }), &["singles[2] type"]),
            (json!({ "flat": { "text": "x", "limit": 1, "scale": number } }), &["flat.scale type"]),
            (json!({ "shape": { "kind": "circle", "radius": number } }), &["shape.radius type"]),
            (json!({ "shape": { "kind": "page", "limit": 1, "scale": number } }), &["shape.scale type"]),
            (json!({ "content": { "t": "page", "c": { "limit": 1, "scale": number } } }), &["content.c.scale type"]),
            (json!({ "size": number, "double": number }), &["size type"]),
        ] {
            assert_eq!(clients.issues(&shapes(&payload)).await, expected, "{payload}");
        }
    }
    for number in [3.4e38, -3.4e38, 1e-60, 7.0] {
        let payload = json!({ "single": number, "size": number, "shape": { "kind": "circle", "radius": number } });
        assert_eq!(clients.issues(&shapes(&payload)).await, [""; 0], "{payload}");
    }
}

#[tokio::test]
async fn kind_f17_numbers_that_json_does_not_have_are_refused() {
    let server = serve();
    let mut clients = Clients::connect(&server).await;
    let frame = |key: &str, value: &[u8]| {
        let mut frame = b"\x82\xa4type\xa6SHAPES\xa7payload\x81".to_vec();
        frame.push(0xa0 + u8::try_from(key.len()).unwrap());
        [&frame, key.as_bytes(), value].concat()
    };
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let double = [&[0xcb][..], &number.to_be_bytes()].concat();
        #[expect(clippy::cast_possible_truncation, reason = "these stay what they are")]
        let single = [&[0xca][..], &(number as f32).to_be_bytes()].concat();
        for key in ["optional", "double", "single", "size"] {
            for value in [&double, &single] {
                let found = clients.issues_of_packed(&frame(key, value)).await;
                assert_eq!(found, [format!("{key} type")], "{number}");
            }
        }
    }
    // The nearest that is neither.
    assert_eq!(clients.issues_of_packed(&frame("optional", b"\xc0")).await, [""; 0]);
    assert_eq!(clients.issues_of_text(r#"{"type":"SHAPES","payload":{"optional":1e999}}"#).await, ["optional type"]);
}
