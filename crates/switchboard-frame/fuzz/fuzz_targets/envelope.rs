//! Arbitrary text to the envelope and to the decoding of messages.
//!
//! Input: a text frame.

#![no_main]

use std::{collections::BTreeMap, fmt};

use libfuzzer_sys::fuzz_target;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use switchboard_core::{
    Event, Issues, MAX_ISSUES, Message, MessageMeta, WsError,
    decode::{RawPayload, decode},
    envelope::{Head, Inbound, extended_meta_from_json, write_error},
};
use validator::Validate;

/// What applications put into messages, without floating point, which need not survive JSON.
#[derive(Debug, PartialEq, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
struct Post {
    #[validate(length(min = 1, max = 20))]
    room_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    attachment: Option<Attachment>,
    #[serde(default)]
    #[validate(nested)]
    items: Vec<Item>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    tags: BTreeMap<String, i64>,
    #[serde(default)]
    point: (u8, i16),
    #[serde(default)]
    letter: Option<char>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Validate)]
struct Attachment {
    #[validate(url)]
    url: String,
    #[serde(rename = "size-in-bytes")]
    #[validate(range(max = 1000))]
    size: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Validate)]
struct Item {
    #[validate(email)]
    from: Option<String>,
    done: bool,
    next: Option<Box<Item>>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Plain,
    Answer(u32),
    Both {
        a: bool,
        b: Option<u8>,
    },
}

impl Message for Post {
    type Kind = Event;
    type Meta = Room;
    const TYPE: &'static str = "POST";

    fn validate(&self) -> Result<(), Issues> {
        switchboard_core::validate(self)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Room {
    room: Option<String>,
    seen: Option<Vec<u64>>,
}

impl MessageMeta for Room {}

/// Takes keys that it does not know.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    text: String,
}

impl Message for Open {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "OPEN";
    const ALLOW_UNKNOWN: bool = true;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Empty;

impl Message for Empty {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "EMPTY";
    const HAS_PAYLOAD: bool = false;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Braces {}

impl Message for Braces {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "BRACES";
    const EMPTY_PAYLOAD: bool = true;
}

/// The keys of an object in their order, repeated ones, too.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysVisitor;
        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(KeysVisitor)
    }
}

fn stands_twice(frame: &str) -> bool {
    let Ok(Keys(keys)) = serde_json::from_str(frame) else { return false };
    ["type", "meta", "payload"].iter().any(|known| keys.iter().filter(|key| key == known).count() > 1)
}

fn json(payload: RawPayload<'_>) -> Option<&str> {
    match payload {
        RawPayload::Json(json) => Some(json),
        _ => None,
    }
}

/// The envelope agrees with a parser that knows nothing of envelopes.
fn check_envelope(frame: &str, inbound: Option<&Inbound<'_>>) {
    let Ok(value) = serde_json::from_str::<Value>(frame) else { return };
    let message_type = value.get("type").and_then(Value::as_str);
    let Some(inbound) = inbound else {
        assert!(message_type.is_none() || stands_twice(frame), "refused");
        return;
    };
    assert_eq!(Some(inbound.message_type()), message_type);
    let payload = inbound.payload().and_then(json).map(|json| serde_json::from_str(json).expect("JSON"));
    assert_eq!(payload.as_ref(), value.get("payload"));
    let meta = inbound.meta();
    let key = |key| value.get("meta").and_then(|meta| meta.get(key));
    if meta.problem().is_none() {
        assert_eq!(meta.correlation_id(), key("correlationId").and_then(Value::as_str));
        assert!(meta.correlation_id().is_none_or(|id| (1..=128).contains(&id.len())));
        assert!(meta.timeout_ms().is_none_or(|ms| ms > 0));
        assert!(meta.timestamp().is_some() || !key("timestamp").is_some_and(Value::is_number));
    }
}

fn check_issues(issues: &Issues) {
    let paths: Vec<_> = issues.iter().map(|issue| issue.path()).collect();
    assert!(!paths.is_empty() && paths.len() <= MAX_ISSUES);
    assert!(paths.is_sorted(), "{paths:?}");
    for issue in issues {
        let known = ["type", "missing_field", "unknown_field", "enum", "length", "range", "email", "url"];
        assert!(known.contains(&issue.code()), "{issue:?}");
        assert!(!issue.message().is_empty());
    }
    let mut out = Vec::new();
    write_error(
        &mut out,
        Head { correlation_id: Some("c\"1"), timestamp_ms: 1 },
        true,
        &WsError::invalid_payload(issues),
    );
    let out = std::str::from_utf8(&out).expect("text");
    let inbound = Inbound::from_json(out).expect("an envelope");
    assert_eq!((inbound.message_type(), inbound.meta().correlation_id()), ("RPC_ERROR", Some("c\"1")));
}

fn check_message<M: Message + PartialEq + fmt::Debug>(payload: Option<RawPayload<'_>>, id: Option<&str>) {
    let message = match decode::<M>(payload) {
        Ok(message) => message,
        Err(issues) => return check_issues(&issues),
    };
    // Decoding is stricter than serde alone, never more lenient.
    if let Some(payload) = payload.and_then(json).filter(|_| M::HAS_PAYLOAD) {
        assert_eq!(serde_json::from_str::<M>(payload).expect("serde refuses it"), message);
    }
    assert!(message.validate().is_ok());
    let mut out = Vec::new();
    Head { correlation_id: id, timestamp_ms: 1 }.write(&mut out, &message).expect("writes");
    let out = std::str::from_utf8(&out).expect("text");
    let inbound = Inbound::from_json(out).expect("an envelope");
    assert_eq!((inbound.message_type(), inbound.meta().correlation_id()), (M::TYPE, id));
    assert_eq!(decode::<M>(inbound.payload()).expect("decodes again"), message);
}

fuzz_target!(|data: &[u8]| {
    let Ok(frame) = std::str::from_utf8(data) else { return };
    let inbound = Inbound::from_json(frame);
    check_envelope(frame, inbound.as_ref().ok());
    if let Err(issues) = extended_meta_from_json::<Room>(frame) {
        check_issues(&issues);
        assert!(issues.iter().all(|issue| issue.path().starts_with("meta")));
    }
    // Any JSON may be a payload, too.
    let (payload, id) = match &inbound {
        Ok(inbound) => (inbound.payload(), inbound.meta().correlation_id()),
        Err(_) => (serde_json::from_str::<&RawValue>(frame).ok().map(|raw| RawPayload::Json(raw.get())), None),
    };
    check_message::<Post>(payload, id);
    check_message::<Open>(payload, id);
    check_message::<Empty>(payload, id);
    check_message::<Braces>(payload, id);
});
