//! What changes, and whether old clients notice: one row each.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use serde_json::{Value, json};
use switchboard_codegen::{Verdict, diff};
use switchboard_core::Contract;

/// The contract of a route on which both sides send `X` with this payload.
fn contract(payload: &Value) -> Value {
    let side = json!({
        "messages": [{ "type": "X", "payload": payload }],
        "rpcs": [],
        "$defs": { "Id": { "type": "string" }, "Node": { "type": "object", "properties": { "next": { "$ref": "#/inbound/$defs/Node" } } } },
    });
    json!({
        "path": "/ws", "envelope": "standard", "protocols": ["v1"], "errors": [], "inbound": side, "outbound": side,
        "limits": { "maxMessageBytes": 100 },
    })
}

fn verdicts(old: &Value, new: &Value) -> Vec<String> {
    let read = |value: &Value| serde_json::from_value::<Contract>(value.clone()).unwrap();
    diff(&read(old), &read(new)).iter().map(ToString::to_string).collect()
}

/// Fields of an object, all required but those with `?`.
fn object(fields: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = fields.iter().map(|(name, _)| *name).filter(|name| !name.ends_with('?')).collect();
    let properties: serde_json::Map<String, Value> =
        fields.iter().map(|(name, schema)| (name.trim_end_matches('?').to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

#[test]
fn payloads() {
    let text = || json!({ "type": "string" });
    let field = |schema: Value| object(&[("a", schema)]);
    let int = |least: i32, most: i32| field(json!({ "type": "integer", "minimum": least, "maximum": most }));
    let tagged = |tags: &[&str]| {
        let variant = |tag: &&str| object(&[("kind", json!({ "const": tag })), ("v", text())]);
        json!({ "oneOf": tags.iter().map(variant).collect::<Vec<_>>() })
    };
    // Old, new, what changed, and whether it breaks a client that sends it and one that gets it.
    let rows: Vec<(Value, Value, &str, bool, bool)> = vec![
        (object(&[]), object(&[("a?", text())]), "a: added, optional", false, false),
        (object(&[]), object(&[("a", text())]), "a: added, required", true, false),
        (object(&[("a", text())]), object(&[]), "a: removed", true, true),
        (object(&[("a?", text())]), object(&[]), "a: removed", true, false),
        (object(&[("a", text())]), object(&[("b", text())]), "a: renamed to `b`", true, true),
        (object(&[("a", text())]), object(&[("a?", text())]), "a: optional now", false, true),
        (object(&[("a?", text())]), object(&[("a", text())]), "a: required now", true, false),
        (field(text()), field(json!({ "type": ["string", "null"] })), "a: may be null now", false, true),
        (field(json!({ "type": ["string", "null"] })), field(text()), "a: no longer null", true, false),
        (field(text()), field(json!({ "type": "number" })), "the type was string, is number", true, true),
        (field(json!({ "type": "integer" })), field(json!({ "type": "number" })), "integer, is number", false, true),
        (field(json!({ "type": "number" })), field(json!({ "type": "integer" })), "number, is integer", true, false),
        (field(text()), field(json!({ "type": ["string", "number"] })), "is number or string", false, true),
        (int(0, 9), int(0, 5), "maximum was 9, is 5", true, false),
        (int(0, 5), int(0, 9), "maximum was 5, is 9", false, false),
        (int(0, 9), int(3, 9), "minimum was 0, is 3", true, false),
        (field(text()), field(json!({ "type": "string", "maxLength": 5 })), "maxLength was none, is 5", true, false),
        (field(text()), field(json!({ "type": "string", "pattern": "a" })), "pattern was none", true, false),
        (field(text()), field(json!({ "type": "string", "format": "uuid" })), "format was none", true, false),
        (field(json!({ "enum": ["x"] })), field(json!({ "enum": ["x", "y"] })), "the value \"y\" is new", false, true),
        (field(json!({ "enum": ["x", "y"] })), field(json!({ "enum": ["x"] })), "the value \"y\" is gone", true, false),
        (field(text()), field(json!({ "type": "string", "enum": ["x"] })), "only certain values now", true, false),
        (tagged(&["x"]), tagged(&["x", "y"]), "the variant kind = \"y\" is new", false, true),
        (tagged(&["x", "y"]), tagged(&["x"]), "the variant kind = \"y\" is gone", true, false),
        (field(json!(true)), field(text()), "was any value, has a type now", true, false),
        (field(text()), field(json!(true)), "had a type, is any value now", false, true),
        (
            field(json!({ "type": "array", "items": text() })),
            field(json!({ "type": "array", "items": { "type": "null" } })),
            "a[]: the type was string, is null",
            true,
            true,
        ),
        (
            field(json!({ "type": "array", "prefixItems": [text()] })),
            field(json!({ "type": "array", "prefixItems": [text(), text()] })),
            "a: had 1 items, has 2",
            true,
            true,
        ),
        (
            field(json!({ "type": "object", "additionalProperties": text() })),
            field(json!({ "type": "object", "additionalProperties": { "type": ["string", "null"] } })),
            "a{}: may be null now",
            false,
            true,
        ),
        (field(text()), field(json!({ "type": "string", "deprecated": true })), "a: deprecated now", false, false),
        (
            field(json!({ "$ref": "#/inbound/$defs/Id" })),
            field(json!({ "anyOf": [{ "$ref": "#/inbound/$defs/Id" }, { "type": "null" }] })),
            "a: may be null now",
            false,
            true,
        ),
    ];
    assert!(rows.len() >= 30);
    for (old, new, text, inbound, outbound) in rows {
        let found = verdicts(&contract(&old), &contract(&new));
        for (sender, breaks) in [("client", inbound), ("server", outbound)] {
            let start = format!("{}: {sender} sends X", if breaks { "breaks" } else { "harmless" });
            let is_row = |line: &&String| line.contains(&format!("{sender} sends")) && line.contains(text);
            let line = found.iter().find(is_row).unwrap_or_else(|| panic!("{sender}, {text}: {found:#?}"));
            assert!(line.starts_with(&start), "{start}, {text}: {line}");
        }
    }
}

#[test]
fn equal_contracts_and_recursion() {
    for payload in [json!({ "$ref": "#/inbound/$defs/Node" }), json!(true), object(&[("a", json!({ "enum": ["x"] }))])]
    {
        assert_eq!(verdicts(&contract(&payload), &contract(&payload)), Vec::<String>::new());
    }
    let annotated = |text: &str| object(&[("a", json!({ "type": "string", "description": text }))]);
    assert_eq!(verdicts(&contract(&annotated("x")), &contract(&annotated("y"))), Vec::<String>::new());
}

/// A change of the contract itself.
type Edit = fn(&mut Value);

#[test]
fn routes_and_messages() {
    let request = json!({ "type": "R", "response": { "type": "S" } });
    let base = || {
        let mut value = contract(&json!({ "type": "object" }));
        value["inbound"]["rpcs"] = json!([request]);
        value["topics"] = json!([{ "pattern": "room:{id}", "messages": ["X"] }]);
        value
    };
    let rows: [(Edit, &str); 18] = [
        (|new| new["path"] = json!("/other"), "breaks: path: was /ws, is /other"),
        (|new| new["envelope"] = json!("flat"), "breaks: envelope: was Standard, is Flat"),
        (|new| new["protocols"] = json!([]), "breaks: subprotocols: v1 is gone"),
        (|new| new["protocols"] = json!(["v1", "v2"]), "harmless: subprotocols: v2 is new"),
        (|new| new["inbound"]["messages"] = json!([]), "breaks: client sends X: the event is gone"),
        (|new| new["outbound"]["messages"] = json!([]), "breaks: server sends X: the event is gone"),
        (|new| new["inbound"]["rpcs"] = json!([]), "breaks: client sends R: the request is gone"),
        (
            |new| new["outbound"]["rpcs"] = json!([{ "type": "CALL", "response": { "type": "S" } }]),
            "breaks: server sends CALL: the request is new",
        ),
        (
            |new| new["inbound"]["rpcs"][0]["response"]["type"] = json!("T"),
            "breaks: server sends R: the response was S, is T",
        ),
        (|new| new["inbound"]["rpcs"][0]["progress"] = json!(true), "harmless: server sends R: has progress now"),
        (
            |new| new["inbound"]["rpcs"][0]["errors"] = json!(["SOLD_OUT"]),
            "harmless: server sends R: the error code SOLD_OUT is new",
        ),
        (
            |new| new["inbound"]["rpcs"][0]["payload"] = json!({ "type": "object" }),
            "breaks: client sends R: has a payload now",
        ),
        (
            |new| new["inbound"]["messages"][0]["payload"] = Value::Null,
            "breaks: client sends X: no longer has a payload",
        ),
        (
            |new| new["inbound"]["messages"][0]["allowUnknown"] = json!(true),
            "harmless: client sends X: unknown keys are taken now",
        ),
        (|new| new["topics"] = json!([]), "breaks: room:{id}: the topic is gone"),
        (
            |new| new["topics"][0]["messages"] = json!(["X", "Y"]),
            "harmless: server sends room:{id}: the topic has Y, too",
        ),
        (|new| new["limits"]["maxMessageBytes"] = json!(50), "breaks: maxMessageBytes: was 100, is 50"),
        (
            |new| {
                new["inbound"]["messages"] = json!([]);
                new["inbound"]["rpcs"][0]["type"] = json!("X");
            },
            "breaks: client sends X: an event became a request",
        ),
    ];
    for (edit, expected) in rows {
        let mut new = base();
        edit(&mut new);
        let found = verdicts(&base(), &new);
        assert!(found.iter().any(|line| line == expected), "{expected}: {found:#?}");
    }
}

#[test]
fn breaking_changes_come_first() {
    let read = |payload: &Value| serde_json::from_value::<Contract>(contract(payload)).unwrap();
    let text = json!({ "type": "string" });
    let changes = diff(&read(&object(&[])), &read(&object(&[("a", text)])));
    let verdicts: Vec<Verdict> = changes.iter().map(|change| change.verdict()).collect();
    assert_eq!(verdicts, [Verdict::Breaks, Verdict::Harmless]);
    assert_eq!((changes[0].path(), changes[0].description()), ("X.a", "added, required"));
}
