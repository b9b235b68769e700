//! Enums with a tag, and with their content beside it.

use serde::{Deserialize, Serialize};

use super::{Colour, Filter, assert_decodes, assert_issues, message, message_of};
use crate::{Event, Message};

message!(Wrapped, Outer, Renamed);

#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c", rename_all = "lowercase")]
enum Beside {
    Page(Filter),
    Named { name: String },
    Pair(u8, u8),
    Bare,
}

#[derive(Serialize, Deserialize)]
struct Wrapped {
    v: Beside,
}

/// Asserts the issues with the tag in front of its content, and behind it.
#[track_caller]
fn assert_in_both_orders<M: Message>(tag: &str, content: &str, issues: &[(&str, &str)]) {
    for json in [format!(r#"{{"v":{{"t":{tag},"c":{content}}}}}"#), format!(r#"{{"v":{{"c":{content},"t":{tag}}}}}"#)] {
        if issues.is_empty() {
            assert_decodes::<M>(&json);
        } else {
            assert_issues::<M>(&json, issues);
        }
    }
}

#[test]
fn the_order_of_tag_and_content_does_not_count() {
    for (tag, content, issues) in [
        (r#""page""#, r#"{"name":"a"}"#, &[][..]),
        (r#""page""#, r#"{"name":1}"#, &[("v.c.name", "type")]),
        (r#""page""#, r#"{}"#, &[("v.c.name", "missing_field")]),
        (r#""page""#, r#"{"name":"a","x":1}"#, &[("v.c.x", "unknown_field")]),
        (r#""named""#, r#"{"name":"a"}"#, &[]),
        (r#""named""#, r#"{"name":"a","x":1}"#, &[("v.c.x", "unknown_field")]),
        (r#""pair""#, "[1,2]", &[]),
        (r#""pair""#, "[1,2,3]", &[("v.c", "type")]),
        (r#""bare""#, "null", &[]),
        (r#""green""#, "{}", &[("v.t", "enum")]),
        ("1", "{}", &[("v.t", "type")]),
    ] {
        assert_in_both_orders::<Wrapped>(tag, content, issues);
    }
    assert_issues::<Wrapped>(r#"{"v":{"c":{"name":"a"}}}"#, &[("v.t", "missing_field")]);
    assert_issues::<Wrapped>(r#"{"v":{"c":{"name":"a"},"t":"page","x":1}}"#, &[("v.x", "unknown_field")]);
}

/// Two fields like those of an adjacently tagged enum, the last one an enum.
#[derive(Serialize, Deserialize)]
struct Outer {
    colour: Colour,
    value: serde_json::Value,
}

#[test]
fn structs_shaped_like_an_adjacently_tagged_enum_are_read_as_structs() {
    assert_decodes::<Outer>(r#"{"value":{"x":1},"colour":"red"}"#);
    assert_decodes::<Outer>(r#"{"colour":"red","value":{"x":1}}"#);
    assert_issues::<Outer>(r#"{"value":{"x":1},"colour":"green"}"#, &[("colour", "enum")]);
    assert_issues::<Outer>(r#"{"value":1,"value":1,"colour":"red"}"#, &[("", "type")]);
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c", rename = "Another", rename_all = "lowercase")]
enum OtherName {
    One(Filter),
    List(Vec<u8>),
    Bare,
}

#[derive(Serialize, Deserialize)]
struct Renamed {
    v: OtherName,
}

struct Lenient(Renamed);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Renamed::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Lenient {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Message for Lenient {
    type Kind = Event;
    type Meta = ();
    const TYPE: &'static str = "LENIENT";
    const ALLOW_UNKNOWN: bool = true;
}

#[test]
fn the_order_of_keys_does_not_count_in_a_renamed_enum() {
    for (tag, content, issues) in [
        (r#""one""#, r#"{"name":"a"}"#, &[][..]),
        (r#""one""#, r#"{"name":"a","x":1}"#, &[("v.c.x", "unknown_field")]),
        (r#""one""#, r#"["a"]"#, &[("v.c", "type")]),
        (r#""list""#, "[1]", &[]),
        (r#""bare""#, "null", &[]),
        (r#""bare""#, "1", &[("v.c", "type")]),
    ] {
        assert_in_both_orders::<Renamed>(tag, content, issues);
    }
}

#[test]
fn an_array_is_no_object_where_unknown_keys_are_allowed() {
    for json in [
        r#"{"v":{"t":"one","c":["a"]}}"#,
        r#"{"v":{"c":["a"],"t":"one"}}"#,
        r#"{"v":{"x":1,"c":["a"],"t":"one"}}"#,
        r#"{"v":{"c":["a"],"x":1,"t":"one"}}"#,
    ] {
        assert_issues::<Lenient>(json, &[("v.c", "type")]);
    }
    for json in [
        r#"{"v":{"c":{"name":"a","x":1},"t":"one","x":1}}"#,
        r#"{"v":{"x":1,"c":{"name":"a","x":1},"y":1,"t":"one"},"x":1}"#,
    ] {
        assert_decodes::<Lenient>(json);
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "t", content = "c", rename_all = "lowercase", deny_unknown_fields)]
enum Denying {
    One(Filter),
    Bare,
}

#[derive(Serialize, Deserialize)]
struct Denied {
    v: Denying,
}

message!(Denied);

#[test]
fn a_key_beside_tag_and_content_is_unknown() {
    for json in [
        r#"{"v":{"t":"one","c":{"name":"a"},"e":1}}"#,
        r#"{"v":{"e":1,"t":"one","c":{"name":"a"}}}"#,
        r#"{"v":{"c":{"name":"a"},"e":1,"t":"one"}}"#,
        r#"{"v":{"t":"bare","e":1}}"#,
    ] {
        assert_issues::<Denied>(json, &[("v.e", "unknown_field")]);
    }
    assert_decodes::<Denied>(r#"{"v":{"t":"bare"}}"#);
}

#[test]
fn content_of_a_variant_without_content_is_not_valid() {
    for json in [r#"{"v":{"t":"bare","c":1}}"#, r#"{"v":{"c":1,"t":"bare"}}"#, r#"{"v":{"t":"bare","c":{}}}"#] {
        assert_eq!(message_of::<Renamed>(json), "v.c is not valid", "{json}");
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
struct Tagged {
    a: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "is", rename = "B")]
struct TaggedOtherwise {
    list: Vec<Tagged>,
    colour: Option<Colour>,
    plain: Option<Filter>,
}

message!(Tagged, TaggedOtherwise);

#[test]
fn the_tag_of_a_struct_is_a_known_key() {
    let written = serde_json::to_string(&Tagged { a: 1 }).unwrap();
    assert_eq!(written, r#"{"kind":"Tagged","a":1}"#);
    assert_decodes::<Tagged>(&written);
    assert_decodes::<Tagged>(r#"{"a":1,"k\u0069nd":"Tagge\u0064"}"#);
    assert_decodes::<Tagged>(r#"{"a":1}"#);
    assert_decodes::<TaggedOtherwise>(
        r#"{"is":"B","list":[{"kind":"Tagged","a":1},{"a":1,"kind":"Tagged"}],"plain":{"name":"x"}}"#,
    );
    let unknown = |path| [(path, "unknown_field")];
    assert_issues::<Tagged>(r#"{"kind":"Other","a":1}"#, &unknown("kind"));
    assert_issues::<Tagged>(r#"{"kind":1,"a":1}"#, &unknown("kind"));
    assert_issues::<Tagged>(r#"{"type":"Tagged","a":1}"#, &unknown("type"));
    assert_issues::<TaggedOtherwise>(r#"{"is":"B","list":[],"kind":"Tagged"}"#, &unknown("kind"));
    assert_issues::<TaggedOtherwise>(r#"{"is":"TaggedOtherwise","list":[]}"#, &unknown("is"));
    // The name alone does not make a key the tag.
    assert_issues::<TaggedOtherwise>(
        r#"{"is":"B","list":[],"plain":{"name":"x","is":"Filter"}}"#,
        &unknown("plain.is"),
    );
    assert_issues::<TaggedOtherwise>(r#"{"is":"B","list":[{"kind":"Tagged","a":"x"}]}"#, &[("list[0].a", "type")]);
    assert_issues::<TaggedOtherwise>(
        r#"{"is":"B","list":[{"a":"x","kind":"Tagged","more":1}]}"#,
        &[("list[0].a", "type"), ("list[0].more", "unknown_field")],
    );
    // More keys than are kept.
    let keys: String = (0..1000).map(|i| format!(r#""k{i}":"Tagged","#)).collect();
    assert!(!message_of::<Tagged>(&format!(r#"{{{keys}"a":1}}"#)).is_empty());
}
