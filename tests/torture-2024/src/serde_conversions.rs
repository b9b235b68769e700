//! serde's attributes for types that are made of other ones: `try_from`, `remote`, `getter`, `borrow`.

use std::borrow::Cow;

use switchboard::{validator::ValidationError, ws_message, ws_payload};

/// Refuses an empty text while it decodes.
#[ws_payload]
#[derive(Clone)]
#[serde(try_from = "String", into = "String")]
pub struct TryFrom(#[validate(length(max = 3))] pub String);

impl std::convert::TryFrom<String> for TryFrom {
    type Error = std::fmt::Error;

    fn try_from(text: String) -> Result<Self, std::fmt::Error> {
        if text.is_empty() { Err(std::fmt::Error) } else { Ok(Self(text)) }
    }
}

impl std::convert::From<TryFrom> for String {
    fn from(from: TryFrom) -> Self {
        from.0
    }
}

/// The same of a message, and of an enum.
#[ws_message("TRIED")]
#[derive(Clone)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Tried {
    #[validate(range(max = 9))]
    pub number: u8,
    pub level: Level,
}

#[ws_payload]
pub struct Raw {
    pub digits: String,
    pub level: Level,
}

impl std::convert::TryFrom<Raw> for Tried {
    type Error = std::num::ParseIntError;

    fn try_from(raw: Raw) -> Result<Self, std::num::ParseIntError> {
        Ok(Self { number: raw.digits.parse()?, level: raw.level })
    }
}

impl std::convert::From<Tried> for Raw {
    fn from(tried: Tried) -> Self {
        Self { digits: tried.number.to_string(), level: tried.level }
    }
}

#[ws_payload]
#[derive(Clone, Debug, PartialEq, Eq)]
#[serde(try_from = "u8", into = "u8")]
pub enum Level {
    Low,
    High,
}

impl std::convert::TryFrom<u8> for Level {
    type Error = String;

    fn try_from(level: u8) -> Result<Self, String> {
        match level {
            0 => Ok(Self::Low),
            1 => Ok(Self::High),
            _ => Err("there is no such level".to_owned()),
        }
    }
}

impl std::convert::From<Level> for u8 {
    fn from(level: Level) -> Self {
        level as Self
    }
}

/// Types that know nothing of serde.
pub mod elsewhere {
    #[derive(Debug, PartialEq, Eq)]
    pub struct Span {
        secs: u64,
        pub nanos: u32,
    }

    impl Span {
        pub fn new(secs: u64, nanos: u32) -> Self {
            Self { secs, nanos }
        }

        pub fn secs(&self) -> u64 {
            self.secs
        }
    }

    #[derive(Debug, PartialEq, Eq)]
    pub enum Side {
        Left,
        Right { by: u8 },
    }

    #[derive(Debug, PartialEq, Eq)]
    pub struct Meters(pub u64);
}

#[ws_payload]
#[serde(remote = "elsewhere::Span")]
pub struct SpanDef {
    #[serde(getter = "elsewhere::Span::secs", rename = "seconds")]
    pub secs: u64,
    pub nanos: u32,
}

impl std::convert::From<SpanDef> for elsewhere::Span {
    fn from(def: SpanDef) -> Self {
        Self::new(def.secs, def.nanos)
    }
}

#[ws_payload]
#[serde(remote = "elsewhere::Side")]
pub enum SideDef {
    Left,
    Right { by: u8 },
}

#[ws_payload]
#[serde(remote = "elsewhere::Meters")]
pub struct MetersDef(pub u64);

fn short(span: &elsewhere::Span) -> Result<(), ValidationError> {
    if span.secs() < 100 { Ok(()) } else { Err(ValidationError::new("long")) }
}

#[ws_message("REMOTE")]
pub struct Remote {
    #[serde(with = "SpanDef")]
    #[validate(custom(function = short))]
    pub span: elsewhere::Span,
    #[serde(with = "SideDef")]
    pub side: elsewhere::Side,
    #[serde(with = "MetersDef")]
    pub distance: elsewhere::Meters,
}

/// For what is read and used at once; a message cannot hold it.
#[ws_payload]
pub struct Borrowed<'a> {
    #[serde(borrow)]
    #[validate(length(max = 3))]
    pub text: Cow<'a, str>,
    #[validate(length(max = 3))]
    pub plain: &'a str,
    #[serde(borrow)]
    #[validate(nested)]
    pub inner: Vec<BorrowedItem<'a>>,
}

#[ws_payload]
pub enum BorrowedItem<'a> {
    Named {
        #[validate(length(max = 3))]
        name: &'a str,
    },
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

/// A text of the application's own is not read.
#[ws_message("OWN_TEXT")]
pub struct OwnText {
    #[serde(skip)]
    pub skipped: &'static str,
    #[serde(skip_deserializing)]
    pub not_read: &'static str,
    pub text: Cow<'static, str>,
}
