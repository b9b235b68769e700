//! AsyncAPI and JSON Schema.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod torture;

use std::collections::BTreeSet;

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use switchboard_codegen::{AsyncApi, asyncapi, json_schema};
use torture::{admin, torture, values};

fn document() -> Value {
    let generator = AsyncApi::new("Chat", "1.2.3").route("chat", &torture()).route("admin", &admin());
    serde_json::from_str(generator.generate().as_str()).unwrap()
}

/// Every `$ref` below a value.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                found.insert(reference);
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn the_document_is_readable() {
    insta::assert_snapshot!(asyncapi(&admin()));
}

#[test]
fn each_reference_leads_somewhere() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
}

#[test]
fn operations_refer_to_messages_through_their_channel() {
    let document = document();
    let operations = document["operations"].as_object().unwrap();
    for (name, operation) in operations {
        let channel = operation["channel"]["$ref"].as_str().unwrap();
        let replies = operation["reply"]["messages"].as_array().into_iter().flatten();
        for message in operation["messages"].as_array().unwrap().iter().chain(replies) {
            let message = message["$ref"].as_str().unwrap();
            assert!(message.starts_with(&format!("{channel}/messages/")), "{name}: {message}");
        }
    }
    let buy = &operations["chat.receive.BUY"];
    assert_eq!(buy["action"], "receive");
    let replies: Vec<&str> =
        buy["reply"]["messages"].as_array().unwrap().iter().map(|m| m["$ref"].as_str().unwrap()).collect();
    assert_eq!(
        replies,
        [
            "#/channels/chat/messages/server.BOUGHT.reply",
            "#/channels/chat/messages/BUY.progress",
            "#/channels/chat/messages/BUY.RPC_ERROR",
        ]
    );
    assert_eq!(operations["chat.send.CONFIRM"]["action"], "send");
    let channel = &document["channels"]["chat"];
    assert_eq!(channel["parameters"], json!({ "room": {} }));
    assert_eq!(channel["x-switchboard-topics"][1]["messages"], json!(["OPTIONS", "TREE"]));
    assert_eq!(channel["x-switchboard-limits"]["maxMessageBytes"], 65536);
    let codes = &document["components"]["messages"]["chat.BUY.RPC_ERROR"]["payload"]["properties"]["payload"];
    assert!(codes.to_string().contains("SOLD_OUT"), "{codes}");
}

/// The npm package reads the document with a parser of other authors.
#[test]
fn the_document_for_that_parser_is_up_to_date() {
    let document = AsyncApi::new("Torture", "1.0.0").route("chat", &torture()).route("admin", &admin());
    document.generate().check("typescript/test/asyncapi/torture.json").unwrap();
}

/// The schema of a message with what it refers to.
fn payload(document: &Value, message: &Value) -> jsonschema::Validator {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "allOf": [message["payload"]],
        "components": document["components"],
    });
    jsonschema::draft7::new(&schema).unwrap()
}

#[test]
fn examples_are_what_the_schemas_allow() {
    let document = document();
    let messages = document["components"]["messages"].as_object().unwrap();
    let mut count = 0;
    for (name, message) in messages {
        let validator = payload(&document, message);
        for example in message["examples"].as_array().into_iter().flatten() {
            let errors: Vec<_> = validator.iter_errors(&example["payload"]).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?} in {example}");
            count += 1;
        }
    }
    assert_eq!(count, messages.len(), "each message has an example");
}

#[test]
fn draft_7_allows_what_serde_writes() {
    let document = document();
    let mut runner = TestRunner::deterministic();
    let check = |message: &str, values: Vec<Value>| {
        let message = &document["components"]["messages"][message];
        let validator = payload(&document, message);
        for value in values {
            let frame = json!({ "type": message["name"], "meta": {}, "payload": value });
            let errors: Vec<_> = validator.iter_errors(&frame).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?} in {frame}");
        }
    };
    for _ in 0..50 {
        let containers = values::containers().new_tree(&mut runner).unwrap().current();
        let attributes = values::attributes().new_tree(&mut runner).unwrap().current();
        let enums = values::enums().new_tree(&mut runner).unwrap().current();
        for side in ["client", "server"] {
            check(&format!("chat.{side}.CONTAINERS"), vec![serde_json::to_value(&containers).unwrap()]);
            check(&format!("chat.{side}.ATTRIBUTES"), vec![serde_json::to_value(&attributes).unwrap()]);
            check(&format!("chat.{side}.ENUMS"), vec![serde_json::to_value(&enums).unwrap()]);
        }
    }
}

#[test]
fn json_schema_knows_all_frames() {
    let schema: Value = serde_json::from_str(json_schema(&torture()).as_str()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for frame in [
        json!({ "type": "PING" }),
        json!({ "type": "TREE", "payload": { "label": "a", "children": [{ "label": "b", "children": [] }] } }),
        json!({ "type": "WHOAMI", "meta": { "correlationId": "1" } }),
        json!({ "type": "MARKED", "meta": { "roomId": "1" }, "payload": { "text": "a" } }),
        json!({ "type": "RPC_ERROR", "meta": { "correlationId": "1" }, "payload": { "code": "SOLD_OUT", "message": "" } }),
    ] {
        assert!(validator.is_valid(&frame), "{frame}");
    }
    for frame in [
        json!({ "type": "NOTHING" }),
        json!({ "type": "TREE" }),
        json!({ "type": "TREE", "payload": { "label": "a", "children": [{}] } }),
        json!({ "type": "WHOAMI" }),
        json!({ "type": "MARKED", "payload": { "text": "a" } }),
    ] {
        assert!(!validator.is_valid(&frame), "{frame}");
    }
}
