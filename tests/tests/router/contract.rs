//! What a router says of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard::{
    BoxError, Conn, EnvelopeStyle, Meta, RawText, RouteOptions, WsError, WsMessage, WsMessages, WsRouter, ws_message,
    ws_meta, ws_payload, ws_rpc,
};

use crate::{Ping, Pong};

#[ws_meta]
struct RoomMeta {
    #[validate(length(max = 50))]
    room_id: String,
}

#[ws_payload]
struct Place {
    x: i32,
}

#[ws_message("MOVE", meta = RoomMeta, allow_unknown)]
struct Move {
    #[serde(default)]
    to: Vec<Place>,
}

#[ws_payload]
struct Step {
    #[validate(range(max = 100))]
    percent: u8,
}

#[ws_rpc("IMPORT", response = Imported, progress = Step)]
struct Import {
    #[validate(length(min = 1, max = 5))]
    name: String,
}

#[ws_message("IMPORTED")]
struct Imported {
    #[serde(default)]
    rows: u32,
}

#[ws_rpc("ASK", response = Answer)]
struct Ask {
    question: String,
}

#[ws_message("ANSWER")]
struct Answer {
    text: String,
}

#[ws_message("STOP")]
struct Stop;

/// Without a schema of its own.
#[derive(Serialize, Deserialize, WsMessage)]
#[ws(type = "PLAIN")]
struct Plain {
    a: u8,
}

async fn ping(_: Ping) -> Result<Pong, BoxError> {
    Ok(Pong::new(""))
}

async fn moved(_: Meta<RoomMeta>, _: Move) {}

async fn import(import: Import) -> Result<Imported, WsError> {
    Ok(Imported { rows: u32::from(import.name.is_empty()) })
}

async fn stop(_: Stop) {}

async fn plain(_: Plain) {}

fn router() -> WsRouter {
    WsRouter::new().on(ping).on(moved).merge(WsRouter::new().on(import).on(stop).emits::<Ask>())
}

fn json_of(router: &WsRouter) -> Value {
    serde_json::to_value(router.contract("/ws")).unwrap()
}

/// What a reference in the contract refers to.
fn at<'a>(contract: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => contract.pointer(reference.strip_prefix('#').unwrap()).expect("what is referred to"),
        None => schema,
    }
}

#[test]
fn messages_requests_and_their_limits_stand_in_it() {
    let contract = json_of(&router());
    assert_eq!((&contract["path"], &contract["envelope"]), (&json!("/ws"), &json!("standard")));
    assert_eq!(contract["protocols"], json!(["switchboard.v1.json", "switchboard.v1.msgpack"]));
    let tags = |list: &Value| list.as_array().unwrap().iter().map(|one| one["type"].clone()).collect::<Value>();
    assert_eq!(tags(&contract["inbound"]["messages"]), json!(["MOVE", "PING", "STOP"]));
    assert_eq!(tags(&contract["inbound"]["rpcs"]), json!(["IMPORT"]));
    // A reply to an event is a message of its own; a response is part of its request.
    assert_eq!(tags(&contract["outbound"]["messages"]), json!(["PONG"]));
    assert_eq!(tags(&contract["outbound"]["rpcs"]), json!(["ASK"]));
    assert!(
        contract["errors"]
            .as_array()
            .unwrap()
            .contains(&json!({ "code": "UNAVAILABLE", "retryable": true, "backoffMs": 100 }))
    );
    assert!(contract["errors"].as_array().unwrap().contains(&json!({ "code": "INTERNAL" })));

    let import = &contract["inbound"]["rpcs"][0];
    let name = &at(&contract, &import["payload"])["properties"]["name"];
    assert_eq!((&name["minLength"], &name["maxLength"]), (&json!(1), &json!(5)));
    assert_eq!(at(&contract, &import["progress"])["properties"]["percent"]["maximum"], 100);
    assert_eq!(import["response"]["type"], "IMPORTED");
    // The server always writes it, although it may be absent when it is read.
    assert_eq!(at(&contract, &import["response"]["payload"])["required"], json!(["rows"]));
    let ask = &contract["outbound"]["rpcs"][0];
    assert_eq!(at(&contract, &ask["response"]["payload"])["required"], json!(["text"]));
}

#[test]
fn meta_nested_types_and_messages_without_payload_stand_in_it() {
    let contract = json_of(&router());
    let [moved, _, stop] = &contract["inbound"]["messages"].as_array().unwrap()[..] else { panic!("not three") };
    assert_eq!(moved["allowUnknown"], true);
    assert_eq!(at(&contract, &moved["meta"])["properties"]["roomId"]["maxLength"], 50);
    let payload = at(&contract, &moved["payload"]);
    assert_eq!(payload["required"], Value::Null, "`to` has a default");
    let place = at(&contract, &payload["properties"]["to"]["items"]);
    assert_eq!(place["required"], json!(["x"]));
    assert_eq!(*stop, json!({ "type": "STOP" }));
}

#[test]
fn a_type_that_derives_no_schema_allows_anything() {
    let contract = json_of(&WsRouter::new().on(plain));
    assert_eq!(contract["inbound"]["messages"], json!([{ "type": "PLAIN", "payload": true }]));
}

#[test]
fn a_set_stands_in_it_without_being_named() {
    #[derive(WsMessages)]
    enum ServerMessage {
        Pong(Pong),
        Ask(Ask),
    }
    let contract = WsRouter::<(), (), _>::sending::<ServerMessage>().contract("/");
    assert_eq!(contract.outbound.messages[0].message_type, "PONG");
    assert_eq!(contract.outbound.rpcs[0].request.message_type, "ASK");
    let build: [fn(&str) -> ServerMessage; 2] =
        [|text| ServerMessage::Pong(Pong::new(text)), |question| ServerMessage::Ask(Ask { question: question.into() })];
    assert_eq!(build.len(), contract.outbound.messages.len() + contract.outbound.rpcs.len());
}

#[test]
fn the_hash_does_not_depend_on_order_or_path() {
    let one = WsRouter::<()>::new().on(ping).on(stop);
    let other = WsRouter::<()>::new().on(stop).on(ping);
    assert_eq!(one.contract("/a").hash(), other.contract("/b").hash());
    assert_ne!(one.contract("/a").hash(), other.envelope(EnvelopeStyle::Flat).contract("/a").hash());
}

#[test]
fn error_codes_and_limits_stand_in_it() {
    let options = RouteOptions::new().fails_with("SOLD_OUT").fails_with("NOT_FOUND").fails_with("CLOSED");
    let contract = WsRouter::<()>::new().on_with(import, options).contract("/");
    // Those of the protocol are known anyway.
    assert_eq!(contract.inbound.rpcs[0].errors, ["CLOSED", "SOLD_OUT"]);
    assert_eq!(contract.limits["maxMessageBytes"], 64 * 1024);
    assert_eq!(contract.limits["heartbeatMs"], 25_000);
}

#[test]
fn raw_text_has_neither_messages_nor_a_dialect() {
    let contract = WsRouter::<()>::new().on_text(async |_: Conn, _: RawText| ()).protocols(["mine"]).contract("/");
    assert_eq!(contract.protocols, ["mine"]);
    assert!(contract.inbound.messages.is_empty());
}
