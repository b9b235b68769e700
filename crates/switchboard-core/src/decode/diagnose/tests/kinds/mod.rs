//! One test for each kind of payload whose issues were wrong in the past.

mod tagged;
mod words;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{
    Event, Message, MessageMeta,
    decode::{RawPayload, decode},
    envelope::extended_meta_from_json,
};

macro_rules! message {
    ($($name:ident),*) => {$(
        impl Message for $name {
            type Kind = Event;
            type Meta = ();
            const TYPE: &'static str = "KIND";
        }
    )*};
}

pub(super) use message;

message!(Careless, ById, Flat, Nested, Tuples, Numbers, Optional, Ignoring, Raw, Untagged, Internal, FlatDeny);

#[track_caller]
pub(super) fn assert_issues<M: Message>(json: &str, expected: &[(&str, &str)]) {
    let Err(issues) = decode::<M>(Some(RawPayload::Json(json))) else { panic!("{json} decoded") };
    let found: Vec<_> = issues.iter().map(|issue| (issue.path(), issue.code())).collect();
    assert_eq!(found, expected, "{json}");
}

#[track_caller]
pub(super) fn message_of<M: Message>(json: &str) -> String {
    decode::<M>(Some(RawPayload::Json(json))).err().map(|issues| issues.to_string()).unwrap_or_default()
}

#[track_caller]
pub(super) fn assert_decodes<M: Message>(json: &str) {
    if let Err(issues) = decode::<M>(Some(RawPayload::Json(json))) {
        panic!("{json}: {issues}");
    }
}

#[derive(Serialize, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Id(u64);

#[derive(Serialize, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Blue,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ById {
    by_id: HashMap<u64, String>,
    by_signed: BTreeMap<i128, String>,
    by_new: BTreeMap<Id, u8>,
    by_bool: BTreeMap<bool, u8>,
    by_char: BTreeMap<char, u8>,
    by_colour: BTreeMap<Colour, u8>,
    by_option: BTreeMap<Option<u8>, u8>,
    text: String,
}

#[test]
fn valid_map_keys_of_any_type_have_no_issue() {
    let keys = r#""byId":{"1":"a"},"bySigned":{"-170141183460469231731687303715884105728":"a"},"byNew":{"7":1},
        "byBool":{"true":1,"false":2},"byChar":{"é":1,"\u0041":2},"byColour":{"red":1,"b\u006cue":2},"byOption":{"1":1}"#;
    assert_decodes::<ById>(&format!("{{{keys}}}"));
    assert_issues::<ById>(&format!(r#"{{{keys},"text":5}}"#), &[("text", "type")]);
    assert_issues::<ById>(&format!(r#"{{{keys},"x":5}}"#), &[("x", "unknown_field")]);
    assert_issues::<ById>(r#"{"byId":{"1":2}}"#, &[("byId.1", "type")]);
    for (json, path) in [
        (r#"{"byId":{"a":"x"}}"#, "byId.a"),
        (r#"{"byId":{"-1":"x"}}"#, "byId.-1"),
        (r#"{"byId":{"1 ":"x"}}"#, "byId.1 "),
        (r#"{"byId":{"1.0":"x"}}"#, "byId.1.0"),
        (r#"{"byId":{"\u0031":"x"}}"#, "byId.1"),
        (r#"{"byBool":{"1":1}}"#, "byBool.1"),
        (r#"{"byNew":{"x":1}}"#, "byNew.x"),
        (r#"{"byChar":{"ab":1}}"#, "byChar.ab"),
    ] {
        assert_issues::<ById>(json, &[(path, "type")]);
    }
    assert_issues::<ById>(r#"{"byColour":{"green":1}}"#, &[("byColour.green", "enum")]);
}

#[derive(Serialize, Deserialize)]
struct Ignoring {
    skipped: IgnoredField,
    text: String,
}

struct IgnoredField;

impl<'de> Deserialize<'de> for IgnoredField {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl Serialize for IgnoredField {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

#[derive(Serialize, Deserialize)]
struct Raw {
    raw: Box<RawValue>,
    text: String,
}

#[test]
fn ignored_and_raw_fields_are_known() {
    assert_decodes::<Ignoring>(r#"{"skipped":[1,{"a":2}],"text":"x"}"#);
    assert_issues::<Ignoring>(r#"{"skipped":{"a":1},"text":1}"#, &[("text", "type")]);
    assert_issues::<Ignoring>(r#"{"skipped":1,"text":"x","other":1}"#, &[("other", "unknown_field")]);
    assert_decodes::<Raw>(r#"{"raw":[1e999, "x"],"text":"x"}"#);
    assert_issues::<Raw>(r#"{"raw":{"a":1},"text":1}"#, &[("text", "type")]);
}

#[derive(Serialize, Deserialize)]
struct Page {
    limit: u8,
    #[serde(default)]
    filter: Option<Filter>,
}

#[derive(Serialize, Deserialize)]
struct Filter {
    name: String,
}

#[derive(Serialize, Deserialize)]
struct Flat {
    text: String,
    #[serde(flatten)]
    page: Page,
}

#[derive(Serialize, Deserialize)]
struct Nested {
    lists: Vec<Flat>,
}

#[derive(Serialize, Deserialize)]
struct FlatDenied {
    limit: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlatDeny {
    text: String,
    #[serde(flatten)]
    page: FlatDenied,
}

#[test]
fn issues_in_flattened_fields_name_the_field() {
    assert_decodes::<Flat>(r#"{"text":"x","limit":1,"filter":{"name":"a"}}"#);
    assert_issues::<Flat>(r#"{"text":"x","limit":"ten"}"#, &[("limit", "type")]);
    assert_eq!(message_of::<Flat>(r#"{"text":"x","limit":"ten"}"#), "limit must be an integer in range");
    assert_issues::<Flat>(r#"{"text":"x","limit":300}"#, &[("limit", "type")]);
    assert_issues::<Flat>(r#"{"text":"x","limit":-1}"#, &[("limit", "type")]);
    assert_issues::<Flat>(r#"{"text":"x","limit":1.5}"#, &[("limit", "type")]);
    assert_issues::<Flat>(r#"{"text":"x","limit":null}"#, &[("limit", "type")]);
    assert_issues::<Flat>(r#"{"text":"x","limit":[1]}"#, &[("limit", "type")]);
    assert_issues::<Flat>(r#"{"text":"x"}"#, &[("limit", "missing_field")]);
    assert_issues::<Flat>(r#"{"text":5,"limit":1}"#, &[("text", "type")]);
    assert_issues::<Flat>(r#"{"limit":1}"#, &[("text", "missing_field")]);
    assert_issues::<Flat>(r#"{"text":"x","limit":1,"filter":{"name":2}}"#, &[("filter.name", "type")]);
    // Both objects lack it, so only the whole is reported; or two values fit.
    for unclear in [r#"{"text":"x","filter":{"other":{}}}"#, r#"{"text":"x","limit":"x","other":"x"}"#] {
        assert_issues::<Flat>(unclear, &[("", "type")]);
        assert_eq!(message_of::<Flat>(unclear), "payload is not valid");
    }
    assert_issues::<Nested>(
        r#"{"lists":[{"text":"x","limit":1},{"text":"x","limit":"x1"}]}"#,
        &[("lists[1].limit", "type")],
    );
    assert_issues::<FlatDeny>(r#"{"text":"x","limit":1,"more":2}"#, &[("more", "unknown_field")]);
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum NumberOrPage {
    Number(u64),
    Page(Page),
}

#[derive(Serialize, Deserialize)]
struct Untagged {
    one: NumberOrPage,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Circle { radius: f64 },
    Page(Page),
}

#[derive(Serialize, Deserialize)]
struct Internal {
    shape: Shape,
}

#[test]
fn issues_in_untagged_and_tagged_enums_name_the_field() {
    assert_decodes::<Untagged>(r#"{"one":{"limit":1}}"#);
    assert_issues::<Untagged>(r#"{"one":"x"}"#, &[("one", "type")]);
    assert_eq!(message_of::<Untagged>(r#"{"one":{"limit":"x"}}"#), "one is not valid");
    assert_decodes::<Internal>(r#"{"shape":{"kind":"circle","radius":1}}"#);
    assert_issues::<Internal>(r#"{"shape":{"kind":"circle","radius":"x"}}"#, &[("shape.radius", "type")]);
    assert_issues::<Internal>(r#"{"shape":{"radius":"x","kind":"circle"}}"#, &[("shape.radius", "type")]);
    assert_issues::<Internal>(r#"{"shape":{"kind":"circle"}}"#, &[("shape.radius", "missing_field")]);
    assert_issues::<Internal>(r#"{"shape":{"radius":1}}"#, &[("shape.kind", "missing_field")]);
    assert_issues::<Internal>(r#"{"shape":{"kind":"square"}}"#, &[("shape.kind", "enum")]);
    assert_issues::<Internal>(
        r#"{"shape":{"kind":"page","limit":1,"filter":{"name":1.5}}}"#,
        &[("shape.filter.name", "type")],
    );
    assert_issues::<Internal>(r#"{"shape":5}"#, &[("shape", "type")]);
}

#[derive(Serialize, Deserialize)]
struct Point(u8, u8);

#[derive(Serialize, Deserialize)]
enum Move {
    To(u8, u8),
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Tuples {
    pair: (u8, u8),
    single: (u8,),
    list: [u8; 3],
    point: Option<Point>,
    step: Option<Move>,
    pairs: Vec<(u8, u8)>,
    by_key: BTreeMap<String, (u8, u8)>,
}

#[test]
fn issues_of_tuples_name_the_number_of_elements() {
    assert_decodes::<Tuples>(r#"{"pair":[1,2],"single":[1],"list":[1,2,3],"point":[1,2],"step":{"To":[1,2]}}"#);
    for (json, text) in [
        (r#"{"pair":[1,2,3]}"#, "pair must have 2 elements"),
        (r#"{"pair":[1]}"#, "pair must have 2 elements"),
        (r#"{"pair":[]}"#, "pair must have 2 elements"),
        (r#"{"single":[]}"#, "single must have 1 element"),
        (r#"{"list":[1,2]}"#, "list must have 3 elements"),
        (r#"{"list":[1,2,3,4]}"#, "list must have 3 elements"),
        (r#"{"point":[1]}"#, "point must have 2 elements"),
        (r#"{"point":[1,2,3]}"#, "point must have 2 elements"),
        (r#"{"step":{"To":[1,2,3]}}"#, "step.To must have 2 elements"),
        (r#"{"step":{"To":[1]}}"#, "step.To must have 2 elements"),
        (r#"{"pairs":[[1,2],[1]]}"#, "pairs[1] must have 2 elements"),
        (r#"{"by_key":{"k":[1,2,3]}}"#, "by_key.k must have 2 elements"),
        (r#"{"pair":5}"#, "pair must be an array"),
        (r#"{"pair":[1,"x"]}"#, "pair[1] must be an integer in range"),
    ] {
        assert_eq!(message_of::<Tuples>(json), text, "{json}");
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Numbers {
    i8: i8,
    i16: i16,
    i32: i32,
    i64: i64,
    i128: i128,
    u8: u8,
    u16: u16,
    u32: u32,
    u64: u64,
    u128: u128,
    f32: f32,
    f64: f64,
    list: Vec<f32>,
    option: Option<f32>,
}

#[test]
fn numbers_out_of_range_are_refused() {
    for (field, fits, beyond) in [
        ("i8", &["-128", "127"][..], &["-129", "128", "1.0", "1e2", "-0"][..]),
        ("i16", &["-32768", "32767"], &["-32769", "32768"]),
        ("i32", &["-2147483648", "2147483647"], &["-2147483649", "2147483648"]),
        ("i64", &["-9223372036854775808", "9223372036854775807"], &["-9223372036854775809", "9223372036854775808"]),
        (
            "i128",
            &["-170141183460469231731687303715884105728", "170141183460469231731687303715884105727"],
            &["-170141183460469231731687303715884105729", "170141183460469231731687303715884105728", "1.0"],
        ),
        ("u8", &["0", "255"], &["256", "-1", "1e1"]),
        ("u16", &["65535"], &["65536", "-1"]),
        ("u32", &["4294967295"], &["4294967296"]),
        ("u64", &["18446744073709551615"], &["18446744073709551616", "-1"]),
        ("u128", &["340282366920938463463374607431768211455"], &["340282366920938463463374607431768211456", "-1"]),
        ("f32", &["3.4028234e38", "-3.4028234e38", "1e-60", "7"], &["1e39", "-1e39", "1e999"]),
        ("f64", &["1.7976931348623157e308", "1e-400", "7"], &["1e309", "-1e999"]),
        ("option", &["1.5", "null"], &["1e39"]),
    ] {
        for number in fits {
            assert_decodes::<Numbers>(&format!(r#"{{"{field}":{number}}}"#));
        }
        for number in beyond {
            assert_issues::<Numbers>(&format!(r#"{{"{field}":{number}}}"#), &[(field, "type")]);
        }
    }
    assert_issues::<Numbers>(r#"{"list":[1,1e39]}"#, &[("list[1]", "type")]);
}

#[derive(Serialize, Deserialize, Debug)]
struct Optional {
    a: Option<f64>,
}

#[cfg(feature = "msgpack")]
#[test]
fn nan_over_messagepack_is_refused() {
    use crate::envelope::{EnvelopeStyle, Inbound, Wire};
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut frame = b"\x82\xa4type\xa4KIND\xa7payload\x81\xa1a\xcb".to_vec();
        frame.extend(value.to_be_bytes());
        let json = Wire::messagepack(EnvelopeStyle::Standard).messagepack_to_standard(&frame).unwrap();
        let inbound = Inbound::from_json(&json).unwrap();
        let issues = decode::<Optional>(inbound.payload()).unwrap_err();
        assert_eq!(issues.to_string(), "a must be a number");
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    by_id: BTreeMap<u64, String>,
    by_bool: BTreeMap<bool, u8>,
    p: (u8, u8),
    single: f32,
}

impl MessageMeta for Meta {}

#[test]
fn meta_decodes_like_a_payload() {
    let meta = |keys: &str| {
        let frame = format!(r#"{{"type":"A","meta":{keys},"payload":{{"byId":1}}}}"#);
        extended_meta_from_json::<Meta>(&frame).map_err(|issues| {
            issues.iter().map(|issue| (issue.path().to_owned(), issue.code().to_owned())).collect::<Vec<_>>()
        })
    };
    let read = meta(r#"{"byId":{"1":"a"},"byBool":{"true":1},"p":[1,2],"clientId":7,"receivedAt":{},"other":1e999}"#);
    assert_eq!(read.unwrap().by_id, BTreeMap::from([(1, "a".to_owned())]));
    for (keys, path) in [
        (r#"{"p":[1,2,3]}"#, "meta.p"),
        (r#"{"p":[1]}"#, "meta.p"),
        (r#"{"byId":{"x":"a"}}"#, "meta.byId.x"),
        (r#"{"byId":{"1":2}}"#, "meta.byId.1"),
        (r#"{"single":1e39}"#, "meta.single"),
        (r#"{"p":1e999}"#, "meta.p"),
    ] {
        assert_eq!(meta(keys), Err(vec![(path.to_owned(), "type".to_owned())]), "{keys}");
    }
    for none in ["null", "[]", "1e999", "\"x\"", "{}"] {
        assert_eq!(meta(none), Ok(Meta::default()), "{none}");
    }
}

#[test]
fn issues_behind_a_fault_are_found_in_any_order_of_keys() {
    let both = &[("text", "type"), ("x", "unknown_field")];
    assert_issues::<ById>(r#"{"x":1,"text":5}"#, both);
    assert_issues::<ById>(r#"{"text":5,"x":1}"#, both);
    assert_issues::<ById>(r#"{"text":{"a":[1,"}"]},"x":1}"#, both);
    assert_issues::<ById>(
        r#"{"byId":{"1":[1,2],"x":3},"x":1,"y":1}"#,
        &[("byId.1", "type"), ("byId.x", "type"), ("x", "unknown_field"), ("y", "unknown_field")],
    );
}

/// A type that does not even read its value, which serde_json does not accept.
struct Unread;

impl<'de> Deserialize<'de> for Unread {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

impl Serialize for Unread {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

#[derive(Serialize, Deserialize)]
struct Careless {
    text: String,
    #[serde(default)]
    one: Option<Unread>,
    #[serde(default)]
    list: Vec<Unread>,
}

#[test]
fn issues_behind_values_that_are_not_read_are_found() {
    for careless in [r#""list":[[1],{"a":2}]"#, r#""list":[3],"one":{"a":[1]}"#] {
        assert_issues::<Careless>(
            &format!(r#"{{{careless},"text":5,"x":1}}"#),
            &[("text", "type"), ("x", "unknown_field")],
        );
    }
}
