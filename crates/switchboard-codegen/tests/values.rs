//! What serde writes and reads is what the schemas of both directions allow.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod torture;

use std::{fmt::Debug, sync::LazyLock};

use jsonschema::Validator;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use switchboard_core::Message;
use torture::{torture, values};

static CONTRACT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(torture()).unwrap());

/// The schema of a message's payload, in the contract.
fn validator(side: &str, message_type: &str) -> Validator {
    let messages = CONTRACT[side]["messages"].as_array().unwrap();
    let message = messages.iter().find(|message| message["type"] == message_type).unwrap();
    let reference = message["payload"]["$ref"].as_str().unwrap();
    let schema = json!({ "$ref": reference, "inbound": CONTRACT["inbound"], "outbound": CONTRACT["outbound"] });
    jsonschema::draft202012::new(&schema).unwrap()
}

fn errors(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The keys that a client may leave out.
fn optional(message_type: &str) -> Vec<String> {
    let messages = CONTRACT["inbound"]["messages"].as_array().unwrap();
    let message = messages.iter().find(|message| message["type"] == message_type).unwrap();
    let schema = CONTRACT.pointer(message["payload"]["$ref"].as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().unwrap().keys();
    properties.filter(|name| !required.contains(&json!(name))).cloned().collect()
}

fn agree<M: Message + Debug>(values: impl Strategy<Value = M>) {
    let (read, written) = (validator("inbound", M::TYPE), validator("outbound", M::TYPE));
    let optional = optional(M::TYPE);
    let test = |value: M| {
        let mut json = serde_json::to_value(&value).unwrap();
        prop_assert_eq!(errors(&written, &json), Vec::<String>::new(), "the server sends {}", json);
        prop_assert_eq!(errors(&read, &json), Vec::<String>::new(), "a client sends {}", json);
        // Not the value: where a map takes what is left, serde leaves it the keys of an enum beside it.
        let again = serde_json::from_value::<M>(json.clone()).unwrap();
        prop_assert_eq!(&serde_json::to_value(again).unwrap(), &json);
        for key in &optional {
            json.as_object_mut().unwrap().remove(key);
        }
        prop_assert_eq!(errors(&read, &json), Vec::<String>::new(), "a client sends {}", json);
        prop_assert!(serde_json::from_value::<M>(json).is_ok());
        Ok(())
    };
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&values, test).unwrap();
}

#[test]
fn scalars() {
    agree(values::scalars());
}

#[test]
fn options() {
    agree(values::options());
}

#[test]
fn containers() {
    agree(values::containers());
}

#[test]
fn attributes() {
    agree(values::attributes());
}

#[test]
fn enums() {
    agree(values::enums());
}

#[test]
fn foreign() {
    agree(values::foreign());
}

#[test]
fn tree() {
    agree(values::tree());
}
