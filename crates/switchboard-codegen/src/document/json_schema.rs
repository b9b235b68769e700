//! JSON Schema of all frames of a route.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use switchboard_core::Contract;

use super::frame::{self, FrameKind};
use crate::{
    Generated,
    model::{Direction, Group, Source},
};

/// Generates a JSON Schema of draft 2020-12 whose `$defs` have the types of the route, and `ClientMessage` and
/// `ServerMessage`: any frame of a client, and any of the server.
///
/// The protocol's own frames (`$ws:…`) are not in it.
#[must_use]
pub fn json_schema(contract: &Contract) -> Generated {
    let source = [Source::new("route", contract)];
    let reserved = BTreeSet::from(["ClientMessage".to_owned(), "ServerMessage".to_owned()]);
    // What cannot be a type of TypeScript can stand here.
    let group = Group::new(&source, &reserved, &mut Vec::new());
    let rename = |direction: Direction, name: &str| format!("#/$defs/{}", group.name_of((0, direction), name));
    let mut definitions = Map::new();
    for class in group.classes() {
        definitions.insert(class.name.clone(), frame::renamed(&class.schema, &rename));
    }
    let style = &contract.envelope;
    let [mut client, mut server] = [Direction::Inbound, Direction::Outbound].map(|direction| {
        let side = source[0].side(direction);
        let events = side.messages.iter().map(|message| (message, FrameKind::Event));
        let requests = side.rpcs.iter().map(|rpc| (&rpc.request, FrameKind::Request));
        let other = source[0].side(direction.reverse());
        let responses = other.rpcs.iter().filter_map(|rpc| rpc.response.as_ref()).map(|one| (one, FrameKind::Reply));
        let all = events.chain(requests).chain(responses);
        all.map(|(message, kind)| frame::of_message(style, message, kind, direction, &rename)).collect::<Vec<Value>>()
    });
    let codes: Vec<&str> = contract.errors.iter().map(|error| error.code.as_str()).collect();
    let error = |tag: &str, kind| {
        let meta = frame::meta(kind, Direction::Outbound, None);
        frame::in_envelope(style, tag, &meta, Some(frame::error_payload(&codes, &[])))
    };
    server.extend([error("ERROR", FrameKind::Event), error("RPC_ERROR", FrameKind::Reply)]);
    client.push(error("RPC_ERROR", FrameKind::Reply));
    definitions.insert("ClientMessage".to_owned(), json!({ "anyOf": client }));
    definitions.insert("ServerMessage".to_owned(), json!({ "anyOf": server }));
    pretty(&json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": contract.path,
        "anyOf": [{ "$ref": "#/$defs/ClientMessage" }, { "$ref": "#/$defs/ServerMessage" }],
        "$defs": definitions,
    }))
}

/// JSON whose keys are sorted, whatever features serde_json is built with.
pub(super) fn pretty(document: &Value) -> Generated {
    let mut document = document.clone();
    document.sort_all_objects();
    Generated::new(format!("{document:#}\n"))
}
