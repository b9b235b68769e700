//! Every attribute of serde's documentation, on what may have it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use switchboard::{validator::ValidationError, ws_message, ws_payload};

use crate::serde_conversions;

/// A type that knows serde alone, with functions for `with`.
pub mod secs {
    use std::time::Duration;

    use switchboard::__private::serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.as_secs())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

fn five() -> u8 {
    5
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

fn not_long(every: &Duration) -> Result<(), ValidationError> {
    if every.as_secs() < 100 { Ok(()) } else { Err(ValidationError::new("long")) }
}

/// The attributes of fields.
#[ws_message("FIELDS")]
#[serde(deny_unknown_fields, rename = "AllFields", expecting = "fields")]
pub struct Fields {
    #[serde(rename = "postal", alias = "zip")]
    #[validate(range(max = 9))]
    pub zip_code: u8,
    #[serde(rename(serialize = "out", deserialize = "in"))]
    #[validate(range(max = 9))]
    pub both: u8,
    #[serde(default)]
    #[validate(range(max = 9))]
    pub with_default: u8,
    #[serde(default = "five", skip_serializing_if = "is_zero")]
    #[validate(range(max = 9))]
    pub with_function: u8,
    #[serde(skip)]
    pub skipped: u8,
    #[serde(skip_serializing, default)]
    pub not_written: u8,
    #[serde(skip_deserializing)]
    pub not_read: u8,
    #[serde(with = "secs")]
    #[validate(custom(function = not_long))]
    pub every: Duration,
    #[serde(serialize_with = "secs::serialize", deserialize_with = "secs::deserialize")]
    #[validate(custom(function = not_long))]
    pub after: Duration,
    #[validate(length(max = 3))]
    pub text: Cow<'static, str>,
}

#[ws_message("FLAT")]
pub struct Flat {
    #[serde(flatten)]
    #[validate(nested)]
    pub page: Page,
    #[serde(flatten)]
    #[validate(nested)]
    pub kind: Internal,
}

#[ws_payload]
#[serde(default)]
#[derive(Default)]
pub struct Page {
    #[validate(range(max = 9))]
    pub page_number: u8,
}

#[ws_payload]
#[serde(transparent)]
pub struct Transparent {
    #[validate(length(max = 3))]
    pub text: String,
}

#[ws_payload]
pub struct Newtype(#[validate(length(max = 3))] pub String);

#[ws_payload]
pub struct Pair(#[validate(range(max = 9))] pub u8, #[validate(range(max = 9))] pub u8);

#[ws_payload]
#[serde(rename_all(serialize = "snake_case", deserialize = "kebab-case"))]
pub struct TwoCases {
    #[validate(range(max = 9))]
    pub one_size: u8,
}

#[ws_payload(rename_all = "SCREAMING-KEBAB-CASE")]
pub struct Loud {
    #[validate(range(max = 9))]
    pub one_size: u8,
}

#[ws_payload]
#[serde(bound = "T: switchboard::__private::serde::Serialize + switchboard::__private::serde::de::DeserializeOwned")]
pub struct Generic<T> {
    #[validate(nested)]
    pub all: Vec<T>,
}

#[ws_payload]
#[derive(Clone)]
#[serde(from = "String", into = "String")]
pub struct From(pub String);

impl std::convert::From<String> for From {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::convert::From<From> for String {
    fn from(from: From) -> Self {
        from.0
    }
}

#[ws_payload]
#[serde(rename_all = "snake_case", rename_all_fields = "kebab-case")]
pub enum External {
    Unit,
    NewType(#[validate(nested)] Item),
    Tuple(#[validate(range(max = 9))] u8, #[validate(range(max = 9))] u8),
    StructLike {
        #[validate(range(max = 9))]
        one_size: u8,
    },
    #[serde(rename = "renamed", alias = "other", rename_all = "camelCase")]
    Named {
        #[validate(range(max = 9))]
        one_size: u8,
    },
    #[serde(skip)]
    Skipped,
    #[serde(untagged)]
    Untagged {
        #[validate(range(max = 9))]
        bare: u8,
    },
}

#[ws_payload]
#[serde(tag = "kind")]
pub enum Internal {
    Unit,
    NewType(#[validate(nested)] Item),
    StructLike {
        #[validate(range(max = 9))]
        one_size: u8,
    },
    #[serde(other)]
    Other,
}

#[ws_payload]
#[serde(tag = "t", content = "c")]
pub enum Adjacent {
    Unit,
    NewType(#[validate(nested)] Item),
    Tuple(#[validate(range(max = 9))] u8, #[validate(range(max = 9))] u8),
    StructLike {
        #[validate(range(max = 9))]
        one_size: u8,
    },
    #[serde(with = "secs")]
    Timed(Duration),
}

#[ws_payload]
#[serde(untagged)]
pub enum Untagged {
    StructLike {
        #[validate(range(max = 9))]
        one_size: u8,
    },
    Tuple(#[validate(range(max = 9))] u8, #[validate(range(max = 9))] u8),
}

#[ws_payload]
pub struct Item {
    #[serde(rename = "type")]
    #[validate(length(min = 1))]
    pub kind: String,
}

/// Every shape that a nested value may have.
#[ws_message("SHAPES")]
#[serde(default)]
#[derive(Default)]
pub struct Shapes {
    #[validate(nested)]
    pub rows: Vec<Vec<Item>>,
    #[validate(nested)]
    pub by_name: BTreeMap<String, Item>,
    #[validate(nested)]
    pub by_number: HashMap<u64, Vec<Item>>,
    #[validate(nested)]
    pub boxed: Option<Box<Item>>,
    #[validate(nested)]
    pub pair: Option<(u8, Item)>,
    #[validate(nested)]
    pub list: Vec<Option<Item>>,
    #[validate(nested)]
    pub external: Vec<External>,
    #[validate(nested)]
    pub internal: Vec<Internal>,
    #[validate(nested)]
    pub adjacent: Vec<Adjacent>,
    #[validate(nested)]
    pub untagged: Vec<Untagged>,
    #[validate(nested)]
    pub transparent: Option<Transparent>,
    #[validate(nested)]
    pub newtype: Option<Newtype>,
    #[validate(nested)]
    pub tuple: Option<Pair>,
    #[validate(nested)]
    pub two_cases: Option<TwoCases>,
    #[validate(nested)]
    pub loud: Option<Loud>,
    #[validate(nested)]
    pub generic: Option<Generic<Item>>,
    pub from: Option<From>,
    #[validate(nested)]
    pub try_from: Option<serde_conversions::TryFrom>,
    pub levels: Vec<serde_conversions::Level>,
}
