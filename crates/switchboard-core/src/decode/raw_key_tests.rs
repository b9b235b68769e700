use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{RawPayload, decode, read};
use crate::{Event, Message, MessageMeta, WsError, envelope::extended_meta_from_json};

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Any {
    any: Value,
    by_key: BTreeMap<String, Value>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl Message for Any {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "ANY";
}

#[derive(Serialize, Deserialize)]
struct Meta {
    #[serde(rename = "any")]
    _any: Value,
}

impl MessageMeta for Meta {}

const KEYS: [&str; 2] = ["$serde_json::private::RawValue", "\\u0024serde_json::private::\\u0052awValue"];

fn refused(json: &str) -> Option<Vec<String>> {
    let issues = decode::<Any>(Some(RawPayload::Json(json))).err()?;
    Some(issues.iter().map(|issue| format!("{} {}", issue.path(), issue.code())).collect())
}

#[test]
fn serde_jsons_private_keys_are_refused_in_any_value() {
    for key in KEYS {
        let raw = format!(r#"{{"{key}":"[1]"}}"#);
        for (json, path) in [
            (format!(r#"{{"any":{raw}}}"#), "any."),
            (format!(r#"{{"any":[1,{{"a":{raw}}}]}}"#), "any[1].a."),
            (format!(r#"{{"by_key":{{"a":{raw}}}}}"#), "by_key.a."),
            (format!(r#"{{"other":[{raw}]}}"#), ""),
        ] {
            let found = refused(&json).unwrap_or_else(|| panic!("{json} decoded"));
            assert!(found.len() == 1 && found[0].starts_with(path), "{found:?}");
        }
        assert!(extended_meta_from_json::<Meta>(&format!(r#"{{"meta":{{"any":{raw}}}}}"#)).is_err());
        let error = format!(r#"{{"code":"NOT_FOUND","message":"","details":{raw}}}"#);
        assert!(read::<WsError>(&error).is_none());
    }
    assert!(extended_meta_from_json::<Meta>(r#"{"meta":{"any":{"a":1}}}"#).is_ok());
    // As a value it is a string like any other.
    let text = format!(r#"{{"any":{{"text":"{}"}}}}"#, KEYS[0]);
    assert_eq!(refused(&text), None);
    assert!(read::<WsError>(r#"{"code":"NOT_FOUND","message":"","details":{"a":1}}"#).is_some());
}

#[test]
fn json_in_strings_does_not_reset_the_depth_limit() {
    let mut deep = "1".to_owned();
    for _ in 0..20 {
        let nested = format!("{}{deep}{}", "[".repeat(120), "]".repeat(120));
        deep = format!(r#"{{"{}":{}}}"#, KEYS[0], serde_json::to_string(&nested).unwrap());
        if deep.len() > 1 << 20 {
            break;
        }
    }
    assert!(refused(&format!(r#"{{"any":{deep}}}"#)).is_some());
}
