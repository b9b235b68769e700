//! The schema of a whole frame: type, meta and payload in the envelope of the route.

use serde_json::{Map, Value, json};
use switchboard_core::{
    contract::{MessageContract, Schema},
    envelope::EnvelopeStyle,
};

use crate::model::{Direction, referred, value};

/// What a frame is, which decides on its `meta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    Event,
    Request,
    /// A response, progress or the error of a request.
    Reply,
}

/// Where the references of the contract lead in the document.
pub(super) type Rename<'a> = &'a dyn Fn(Direction, &str) -> String;

/// A message in its envelope.
pub(super) fn of_message(
    style: &EnvelopeStyle,
    message: &MessageContract,
    kind: FrameKind,
    direction: Direction,
    rename: Rename<'_>,
) -> Value {
    let schema = |schema: &Schema| renamed(&value(schema), rename);
    let meta = meta(kind, direction, message.meta.as_ref().map(schema));
    in_envelope(style, &message.message_type, &meta, message.payload.as_ref().map(schema))
}

/// A payload under a type tag.
pub(super) fn in_envelope(style: &EnvelopeStyle, tag: &str, meta: &Value, payload: Option<Value>) -> Value {
    let mut properties =
        Map::from_iter([("type".to_owned(), json!({ "const": tag })), ("meta".to_owned(), meta.clone())]);
    let mut required = vec!["type"];
    if meta.get("required").is_some() {
        required.push("meta");
    }
    let key = match style {
        EnvelopeStyle::PayloadKey(key) => key,
        _ => "payload",
    };
    match payload {
        Some(payload) if *style == EnvelopeStyle::Flat => {
            return json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "allOf": [payload],
            });
        }
        Some(payload) => {
            properties.insert(key.to_owned(), payload);
            required.push(key);
        }
        None => {}
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// `meta` of a kind of frame; `own`: what its type declares.
pub(super) fn meta(kind: FrameKind, direction: Direction, own: Option<Value>) -> Value {
    let mut properties = Map::new();
    properties.insert(
        "timestamp".to_owned(),
        json!({ "type": "integer", "description": "The sender's clock in milliseconds, for display." }),
    );
    properties.insert("correlationId".to_owned(), json!({ "type": "string", "minLength": 1, "maxLength": 128 }));
    if kind == FrameKind::Request {
        properties.insert("timeoutMs".to_owned(), json!({ "type": ["number", "null"], "exclusiveMinimum": 0 }));
        properties.insert("idempotencyKey".to_owned(), json!({ "type": "string" }));
    }
    if kind == FrameKind::Event && direction == Direction::Outbound {
        properties
            .insert("topic".to_owned(), json!({ "type": "string", "description": "The topic, if it is recoverable." }));
        properties.insert("offset".to_owned(), json!({ "type": "integer", "minimum": 0 }));
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if kind != FrameKind::Event {
        schema["required"] = json!(["correlationId"]);
    }
    if let Some(own) = own {
        if kind == FrameKind::Event {
            schema["required"] = json!([]);
        }
        schema["allOf"] = json!([own]);
    }
    schema
}

/// The schema with its references leading to where the document has the types.
pub(super) fn renamed(schema: &Value, rename: Rename<'_>) -> Value {
    match schema {
        Value::Object(keywords) => keywords
            .iter()
            .map(|(keyword, value)| {
                let target = value.as_str().filter(|_| keyword == "$ref").and_then(referred);
                let value = match target {
                    Some((direction, name)) => rename(direction, &name).into(),
                    None if matches!(keyword.as_str(), "const" | "enum" | "default" | "examples") => value.clone(),
                    None => renamed(value, rename),
                };
                (keyword.clone(), value)
            })
            .collect(),
        Value::Array(values) => values.iter().map(|value| renamed(value, rename)).collect(),
        value => value.clone(),
    }
}

/// The payload of `ERROR` and `RPC_ERROR`.
pub(super) fn error_payload(codes: &[&str], own: &[String]) -> Value {
    let known: Vec<&str> = codes.iter().copied().chain(own.iter().map(String::as_str)).collect();
    json!({
        "type": "object",
        "properties": {
            "code": { "anyOf": [{ "enum": known }, { "type": "string" }] },
            "message": { "type": "string" },
            "details": true,
            "retryable": { "type": "boolean" },
            "retryAfterMs": { "type": ["integer", "null"], "minimum": 0 },
        },
        "required": ["code", "message"],
    })
}
