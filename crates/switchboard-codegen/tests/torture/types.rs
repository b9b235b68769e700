//! Its types.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use switchboard_core::{ws_message, ws_meta, ws_payload, ws_rpc};
use time::OffsetDateTime;
use uuid::Uuid;

/// Numbers, texts and nothing.
#[ws_message("SCALARS")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalars {
    /// Whether it is on. `*/` ends no comment.
    pub(crate) on: bool,
    pub(crate) byte: u8,
    pub(crate) signed: i32,
    pub(crate) word: u32,
    /// Bounded, hence a number.
    #[validate(range(max = 9007199254740991))]
    pub(crate) bounded: u64,
    #[ws(safe)]
    pub(crate) declared: usize,
    #[ws(string)]
    pub(crate) text: u64,
    #[ws(string)]
    pub(crate) maybe_text: Option<u64>,
    #[ws(safe)]
    pub(crate) list: Vec<u64>,
    pub(crate) positive: NonZeroU32,
    pub(crate) float: f64,
    pub(crate) small: f32,
    pub(crate) letter: char,
    #[validate(length(min = 1, max = 50))]
    pub(crate) name: String,
    pub(crate) unit: (),
    #[deprecated(note = "use `name`")]
    pub(crate) title: String,
}

#[ws_message("OPTIONS")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    pub(crate) maybe: Option<String>,
    pub(crate) nested: Option<Option<u8>>,
    pub(crate) object: Option<Profile>,
    #[serde(default)]
    pub(crate) defaulted: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) list: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped_object: Option<Profile>,
    #[ws(string)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped_number: Option<u64>,
    /// `Some(None)` is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped_nested: Option<Option<u8>>,
    #[serde(skip)]
    pub(crate) hidden: u8,
}

/// A person.
#[ws_payload]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Profile {
    pub(crate) user_name: String,
    #[serde(default)]
    pub(crate) age: u8,
}

#[ws_message("CONTAINERS")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Containers {
    pub(crate) list: Vec<Profile>,
    pub(crate) fixed: [u8; 3],
    pub(crate) pair: (String, u8),
    pub(crate) set: BTreeSet<String>,
    pub(crate) by_name: BTreeMap<String, Profile>,
    pub(crate) by_number: BTreeMap<u32, String>,
    pub(crate) by_color: BTreeMap<Color, u8>,
    pub(crate) deep: Vec<Option<BTreeMap<String, Vec<u8>>>>,
    pub(crate) page: Page<Profile>,
    pub(crate) result: Result<u8, String>,
    pub(crate) boxed: Box<Profile>,
}

#[ws_payload]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

#[ws_payload]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Color {
    Red,
    LightBlue,
}

#[ws_message("ATTRIBUTES")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attributes {
    #[serde(rename = "content-type")]
    pub(crate) content_type: String,
    #[serde(alias = "colour")]
    pub(crate) color: Color,
    #[serde(flatten)]
    pub(crate) profile: Profile,
    #[serde(flatten)]
    pub(crate) shape: Shape,
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, serde_json::Value>,
}

/// Either.
#[ws_payload]
#[derive(Debug, Clone, PartialEq)]
#[serde(tag = "kind")]
pub(crate) enum Shape {
    /// Round.
    Circle {
        outer_radius: f64,
    },
    Square {
        side: f64,
    },
    Person(Profile),
    Empty,
}

#[ws_payload]
#[derive(Debug, Clone, PartialEq)]
#[serde(tag = "t", content = "c")]
pub(crate) enum Adjacent {
    None,
    One(u8),
    Two(u8, String),
    Named { value: bool },
}

#[ws_payload]
#[derive(Debug, Clone, PartialEq)]
#[serde(untagged)]
pub(crate) enum Untagged {
    Number(u32),
    Text(String),
    Object { value: bool },
}

#[ws_payload]
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum External {
    Unit,
    One(u8),
    Two(u8, String),
    Named { some_value: bool },
    Nested(Profile),
}

#[ws_payload]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Documented {
    /// The first.
    First,
    /// The second.
    Second,
}

#[ws_payload]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Id(pub(crate) String);

#[ws_payload]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point(pub(crate) f64, pub(crate) f64);

#[ws_message("ENUMS")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Enums {
    pub(crate) color: Color,
    pub(crate) shape: Shape,
    pub(crate) adjacent: Adjacent,
    pub(crate) untagged: Untagged,
    pub(crate) external: External,
    pub(crate) documented: Documented,
    pub(crate) id: Id,
    pub(crate) point: Point,
}

#[ws_message("FOREIGN")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Foreign {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    pub(crate) day: NaiveDate,
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(crate) until: OffsetDateTime,
    pub(crate) price: Decimal,
    pub(crate) data: Bytes,
    pub(crate) any: serde_json::Value,
    #[serde(with = "yes_or_no")]
    pub(crate) anything: bool,
}

/// A function of the application decides what is on the wire.
mod yes_or_no {
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    pub(super) fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if *value { "yes" } else { "no" })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        Ok(String::deserialize(deserializer)? == "yes")
    }
}

/// Holds itself.
#[ws_message("TREE")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    pub(crate) label: String,
    pub(crate) children: Vec<Self>,
}

#[ws_meta]
pub(crate) struct RoomMeta {
    #[validate(length(max = 50))]
    room_id: String,
}

/// With keys of its own in `meta`.
#[deprecated]
#[ws_message("MARKED", meta = RoomMeta)]
pub(crate) struct Marked {
    text: String,
}

/// Nothing but a type.
#[ws_message("PING")]
pub(crate) struct Ping;

#[ws_message("PONG")]
pub(crate) struct Pong;

#[ws_payload]
pub(crate) struct Step {
    percent: u8,
}

#[ws_message("BOUGHT")]
pub(crate) struct Bought {
    profile: Profile,
}

/// Buys a ticket.
#[ws_rpc("BUY", response = Bought, progress = Step)]
pub(crate) struct Buy {
    seat: Option<String>,
    profile: Profile,
}

#[ws_rpc("WHOAMI", response = Pong)]
pub(crate) struct Whoami;

#[ws_message("CONFIRMED")]
pub(crate) struct Confirmed {
    yes: bool,
}

/// Asks the client.
#[ws_rpc("CONFIRM", response = Confirmed)]
pub(crate) struct Confirm {
    question: String,
}
