//! All issues of a payload are in one error.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};

use super::kinds::{assert_decodes, assert_issues, message, message_of};
use crate::{Event, Message};

#[derive(Serialize, Deserialize)]
#[serde(try_from = "String")]
struct RoomId(String);

impl TryFrom<String> for RoomId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.starts_with("room:") { Ok(Self(text)) } else { Err("not a room") }
    }
}

#[derive(Serialize, Deserialize)]
enum Action {
    Kick,
    Ban { minutes: u32 },
}

#[derive(Serialize, Deserialize)]
struct Item {
    name: String,
    count: u8,
    #[serde(default)]
    note: String,
    size: Option<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    room_id: RoomId,
    action: Action,
    text: String,
    count: u8,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default, deserialize_with = "lenient")]
    lenient: u8,
    #[serde(default)]
    by_key: BTreeMap<String, Item>,
}

fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    Ok(u8::deserialize(deserializer).unwrap_or(7))
}

message!(Order, ByHand);

#[test]
fn a_missing_field_an_unknown_key_and_a_wrong_type() {
    let expected = &[("action", "missing_field"), ("count", "type"), ("extra", "unknown_field")];
    assert_issues::<Order>(r#"{"roomId":"room:1","text":"t","count":"x","extra":1}"#, expected);
    assert_issues::<Order>(r#"{"extra":1,"count":"x","text":"t","roomId":"room:1"}"#, expected);
}

#[test]
fn all_missing_fields_are_named() {
    let all = &[
        ("action", "missing_field"),
        ("count", "missing_field"),
        ("roomId", "missing_field"),
        ("text", "missing_field"),
    ];
    // The type refuses the placeholder of a room, so the fields declared behind it are not known.
    assert_issues::<Order>("{}", &all[2..3]);
    assert_issues::<Order>(r#"{"roomId":"room:1"}"#, &[all[0], all[1], all[3]]);
    assert_issues::<Order>(
        r#"{"roomId":"room:1","action":"Kick","items":[{}]}"#,
        &[all[1], ("items[0].count", "missing_field"), ("items[0].name", "missing_field"), all[3]],
    );
}

const REST: &str = r#""roomId":"room:1","action":"Kick","text":"t","count":1"#;

#[test]
fn all_elements_and_map_values_are_checked() {
    assert_issues::<Order>(
        &format!(
            r#"{{{REST},"items":[{{"name":"a","count":1}},{{"name":1,"count":"x"}},{{"name":"c"}},5,{{"count":2}}]}}"#
        ),
        &[
            ("items[1].count", "type"),
            ("items[1].name", "type"),
            ("items[2].count", "missing_field"),
            ("items[3]", "type"),
            ("items[4].name", "missing_field"),
        ],
    );
    assert_issues::<Order>(
        &format!(r#"{{{REST},"byKey":{{"a":{{}},"b":{{"name":"n","count":300,"size":"x"}}}},"z":1}}"#),
        &[
            ("byKey.a.count", "missing_field"),
            ("byKey.a.name", "missing_field"),
            ("byKey.b.count", "type"),
            ("byKey.b.size", "type"),
            ("z", "unknown_field"),
        ],
    );
}

#[test]
fn values_behind_a_refused_value_are_checked() {
    // No placeholder is a valid room, so the whole message ends there, but keeps the issues in
    // front of it.
    assert_issues::<Order>(r#"{"roomId":"x","action":"Fly","text":1}"#, &[("roomId", "type")]);
    assert_issues::<Order>(
        r#"{"text":1,"action":"Fly","count":300,"roomId":"room:1","x":1}"#,
        &[("action", "enum"), ("count", "type"), ("text", "type"), ("x", "unknown_field")],
    );
    assert_issues::<Order>(
        r#"{"roomId":"room:1","action":{"Ban":{}},"text":1,"count":-1}"#,
        &[("action.Ban.minutes", "missing_field"), ("count", "type"), ("text", "type")],
    );
}

#[test]
fn a_type_that_accepts_everything_has_no_issue() {
    assert_decodes::<Order>(&format!(r#"{{{REST},"lenient":"x"}}"#));
    assert_issues::<Order>(&format!(r#"{{{REST},"lenient":"x","z":1}}"#), &[("z", "unknown_field")]);
    assert_issues::<Order>(
        r#"{"lenient":"x","roomId":"room:1","action":"Kick","text":"t","count":"x"}"#,
        &[("count", "type")],
    );
}

/// Reads its value according to its kind, in either order.
#[derive(Serialize)]
struct ByHand {
    kind: String,
    value: u8,
}

impl<'de> Deserialize<'de> for ByHand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByHandVisitor;
        impl<'de> Visitor<'de> for ByHandVisitor {
            type Value = ByHand;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ByHand, A::Error> {
                let mut kind = String::new();
                let mut value = 0;
                while let Some(key) = map.next_key::<String>()? {
                    match (key.as_str(), kind.as_str()) {
                        ("kind", _) => kind = map.next_value()?,
                        (_, "text") => value = map.next_value::<String>()?.len() as u8,
                        _ => value = map.next_value()?,
                    }
                }
                Ok(ByHand { kind, value })
            }
        }
        deserializer.deserialize_struct("ByHand", &["kind", "value"], ByHandVisitor)
    }
}

#[test]
fn a_placeholder_does_not_decide_how_another_value_is_read() {
    assert_decodes::<ByHand>(r#"{"kind":"text","value":"x"}"#);
    assert_issues::<ByHand>(r#"{"kind":5,"value":"x"}"#, &[("kind", "type")]);
}

#[test]
fn no_more_than_32_issues_are_reported() {
    let items = vec![r#"{"count":"x"}"#; 100].join(",");
    let crate_issues = crate::decode::decode::<Order>(Some(crate::decode::RawPayload::Json(&format!(
        r#"{{{REST},"items":[{items}]}}"#
    ))));
    assert_eq!(crate_issues.err().unwrap().iter().count(), crate::MAX_ISSUES);
}

#[cfg(feature = "uuid")]
mod other_crates {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Texts {
        item_id: uuid::Uuid,
        #[serde(default)]
        other: Option<uuid::Uuid>,
        #[cfg(feature = "url")]
        #[serde(default)]
        url: Option<url::Url>,
        #[cfg(feature = "chrono")]
        #[serde(default)]
        at: Option<chrono::DateTime<chrono::Utc>>,
        #[cfg(feature = "chrono")]
        #[serde(default)]
        day: Option<chrono::NaiveDate>,
        #[cfg(feature = "rust_decimal")]
        #[serde(default)]
        price: Option<rust_decimal::Decimal>,
        count: u8,
    }

    message!(Texts);

    const ID: &str = "7d444840-9dc0-11d1-b245-5ffdce74fad2";

    #[test]
    fn an_unparsable_string_names_the_expected_type() {
        let with = |rest: &str| message_of::<Texts>(&format!(r#"{{"itemId":"{ID}","count":1{rest}}}"#));
        assert_eq!(with(""), "");
        assert_eq!(message_of::<Texts>(r#"{"itemId":"no","count":1}"#), "itemId is not a valid UUID");
        assert_eq!(message_of::<Texts>(r#"{"itemId":5,"count":1}"#), "itemId must be a string");
        assert_eq!(with(r#","other":"no""#), "other is not a valid UUID");
        #[cfg(feature = "url")]
        assert_eq!(with(r#","url":"no""#), "url is not a valid URL");
        #[cfg(feature = "chrono")]
        assert_eq!(with(r#","at":"no","day":"no""#), "at is not a valid date and time; day is not a valid date");
        #[cfg(feature = "rust_decimal")]
        assert_eq!(with(r#","price":"no""#), "price is not a valid decimal number");
    }

    #[test]
    fn an_unparsable_string_does_not_hide_later_issues() {
        assert_issues::<Texts>(
            r#"{"itemId":"no","other":"no","z":1,"count":"x"}"#,
            &[("count", "type"), ("itemId", "type"), ("other", "type"), ("z", "unknown_field")],
        );
        assert_issues::<Texts>("{}", &[("count", "missing_field"), ("itemId", "missing_field")]);
    }
}
