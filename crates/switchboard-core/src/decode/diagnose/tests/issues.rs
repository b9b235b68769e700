use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Event, MAX_ISSUES, Message,
    decode::{RawPayload, decode},
};

#[derive(Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Post {
    room_id: String,
    count: u8,
    #[serde(default)]
    pinned: bool,
    attachment: Option<Attachment>,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    by_key: BTreeMap<String, Item>,
    #[serde(default)]
    choice: Option<Choice>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    #[serde(rename = "type")]
    kind: Kind,
    file_url: String,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Image,
    File,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Item {
    name: String,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
enum Choice {
    One,
    Two(u8),
    Three { a: u8 },
}

impl Message for Post {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "POST";
}

#[derive(Debug, Serialize, Deserialize)]
struct Open {
    a: u8,
}

impl Message for Open {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "OPEN";
    const ALLOW_UNKNOWN: bool = true;
}

#[derive(Debug, Serialize, Deserialize)]
struct Bare;

impl Message for Bare {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "BARE";
    const HAS_PAYLOAD: bool = false;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Leave {}

impl Message for Leave {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "LEAVE";
    const EMPTY_PAYLOAD: bool = true;
}

fn issues<M: Message>(json: &str) -> Vec<(String, String)> {
    let Err(issues) = decode::<M>(Some(RawPayload::Json(json))) else { panic!("{json} decoded") };
    issues.iter().map(|issue| (issue.path().to_owned(), issue.code().to_owned())).collect()
}

#[track_caller]
fn assert_issues(json: &str, expected: &[(&str, &str)]) {
    let found = issues::<Post>(json);
    let found: Vec<_> = found.iter().map(|(p, c)| (p.as_str(), c.as_str())).collect();
    assert_eq!(found, expected, "{json}");
}

#[test]
fn issues_have_wire_paths_and_codes() {
    assert_issues("{}", &[("count", "missing_field"), ("roomId", "missing_field")]);
    assert_issues(r#"{"roomId":1,"count":1}"#, &[("roomId", "type")]);
    assert_issues(r#"{"roomId":"r","count":"1"}"#, &[("count", "type")]);
    assert_issues(r#"{"roomId":"r","count":256}"#, &[("count", "type")]);
    assert_issues(r#"{"roomId":"r","count":-1}"#, &[("count", "type")]);
    assert_issues(r#"{"roomId":"r","count":1,"pinned":"false"}"#, &[("pinned", "type")]);
    assert_issues(r#"{"roomId":"r","count":1,"x":1,"a":{}}"#, &[("a", "unknown_field"), ("x", "unknown_field")]);
    assert_issues(
        r#"{"roomId":"r","count":1,"attachment":{"type":"video","fileUrl":"u"}}"#,
        &[("attachment.type", "enum")],
    );
    assert_issues(
        r#"{"roomId":"r","count":1,"attachment":{"type":"image"}}"#,
        &[("attachment.fileUrl", "missing_field")],
    );
    assert_issues(r#"{"roomId":"r","count":1,"items":[{"name":"a"},{"name":1}]}"#, &[("items[1].name", "type")]);
    assert_issues(r#"{"roomId":"r","count":1,"items":[{"name":"a","z":1}]}"#, &[("items[0].z", "unknown_field")]);
    assert_issues(r#"{"roomId":"r","count":1,"byKey":{"k":{}}}"#, &[("byKey.k.name", "missing_field")]);
    assert_issues(r#"{"roomId":"r","count":1,"items":["a"]}"#, &[("items[0]", "type")]);
    assert_issues(r#"{"roomId":"r","count":1,"items":[["a"]]}"#, &[("items[0]", "type")]);
    assert_issues(r#"{"roomId":"r","count":1,"choice":"Four"}"#, &[("choice", "enum")]);
    assert_issues(r#"{"roomId":"r","count":1,"choice":{"Two":"x"}}"#, &[("choice.Two", "type")]);
    assert_issues(r#"{"roomId":"r","count":1,"choice":{"Three":{}}}"#, &[("choice.Three.a", "missing_field")]);
    assert_issues(r#"{"roomId":"r","count":1,"choice":7}"#, &[("choice", "type")]);
}

#[test]
fn only_a_message_whose_payload_may_be_empty_may_lack_it() {
    assert_eq!(decode::<Leave>(None).unwrap(), Leave {});
    let issues = decode::<Post>(None).unwrap_err();
    assert_eq!(issues.iter().next().unwrap().code(), "missing_field");
}

#[test]
fn a_payload_must_be_an_object() {
    for json in ["null", "1", "\"x\"", "[]", "[\"r\",1]", "true"] {
        assert_issues(json, &[("", "type")]);
    }
    assert_issues(r#"{"roomId":"a","roomId":"b","count":1}"#, &[("", "type")]);
    let deep = format!(r#"{{"roomId":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_issues(&deep, &[("count", "missing_field"), ("roomId", "type")]);
}

#[test]
fn missing_and_unexpected_payloads_are_issues() {
    assert!(decode::<Bare>(None).is_ok());
    for json in ["{}", "null"] {
        assert_eq!(issues::<Bare>(json), [(String::new(), "unknown_field".to_owned())]);
    }
    let missing = decode::<Post>(None).unwrap_err();
    assert_eq!(missing.iter().next().map(|i| (i.path(), i.code())), Some(("", "missing_field")));
}

#[test]
fn unknown_keys_are_ignored_if_the_type_allows_them() {
    assert!(decode::<Open>(Some(RawPayload::Json(r#"{"a":1,"b":2}"#))).is_ok());
    assert_eq!(issues::<Open>(r#"{"a":"x","b":2}"#), [("a".to_owned(), "type".to_owned())]);
}

#[test]
fn a_flood_of_unknown_keys_is_cut_and_paths_are_bounded() {
    let keys: Vec<_> = (0..500).map(|i| format!("\"k{i}\":1")).collect();
    let json = format!(r#"{{"roomId":"r","count":1,{}}}"#, keys.join(","));
    assert_eq!(issues::<Post>(&json).len(), MAX_ISSUES);
    let long = format!(r#"{{"roomId":"r","count":1,"{}":1}}"#, "é".repeat(5000));
    assert!(issues::<Post>(&long)[0].0.len() <= 131);
}

#[test]
fn no_message_repeats_the_value_or_serdes_text() {
    let Err(issues) = decode::<Post>(Some(RawPayload::Json(r#"{"roomId":"r","count":"hunter2"}"#))) else {
        panic!("decoded")
    };
    let text = issues.to_string();
    assert_eq!(text, "count must be an integer in range");
}

#[test]
fn whole_messages_decode() {
    let json = r#"{"roomId":"r","count":1,"attachment":{"fileUrl":"u","type":"file"},"choice":{"Three":{"a":1}}}"#;
    let post: Post = decode(Some(RawPayload::Json(json))).unwrap();
    assert_eq!(post.choice, Some(Choice::Three { a: 1 }));
    let json = r#"{"roomId":"r","count":1,"choice":"One"}"#;
    assert_eq!(decode::<Post>(Some(RawPayload::Json(json))).unwrap().choice, Some(Choice::One));
}

fn small<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let value = u8::deserialize(deserializer)?;
    if value < 10 { Ok(value) } else { Err(serde::de::Error::custom("too large")) }
}

#[derive(Debug, Serialize, Deserialize)]
struct Small {
    #[serde(deserialize_with = "small")]
    value: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct Smalls {
    all: Vec<Small>,
}

impl Message for Smalls {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "SMALLS";
}

#[test]
fn a_value_refused_after_reading_is_reported_at_its_path() {
    let found = issues::<Smalls>(r#"{"all":[{"value":1},{"value":11}]}"#);
    assert_eq!(found, [("all[1].value".to_owned(), "type".to_owned())]);
}
