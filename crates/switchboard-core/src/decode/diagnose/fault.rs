//! A decoding error that keeps the structure which serde_json turns into text.

use std::{borrow::Cow, fmt};

use serde::de::{Error, Expected, Unexpected};

use super::{
    path::{Path, cut},
    repair::Repair,
    text_kind,
};
use crate::Issue;

/// Why decoding stopped, and where, once that is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    path: Option<String>,
    wanted: Cow<'static, str>,
    /// Whether the type refused a value of the kind that it requested.
    by_type: bool,
    /// Whether the issue was reported when it was found.
    silent: bool,
    /// How the next pass can read on behind it.
    repair: Option<Box<Repair>>,
}

#[derive(Debug)]
pub(super) enum FaultKind {
    /// A value that does not fit, if serde names it.
    Type(Option<Seen>),
    /// An array of the wrong length.
    Length,
    Missing(&'static str),
    Duplicate,
    Unknown(String),
    Variant(String),
}

/// A refused value, to find it again.
#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    /// The start of the text, and its length.
    Text(String, usize),
    Array,
    Object,
}

impl Seen {
    fn of(unexpected: &Unexpected<'_>) -> Option<Self> {
        Some(match *unexpected {
            Unexpected::Unit | Unexpected::Option => Self::Null,
            Unexpected::Bool(value) => Self::Bool(value),
            Unexpected::Unsigned(value) => Self::Unsigned(value),
            Unexpected::Signed(value) => Self::Signed(value),
            Unexpected::Float(value) => Self::Float(value),
            Unexpected::Str(text) => Self::text(text),
            Unexpected::Seq => Self::Array,
            Unexpected::Map => Self::Object,
            _ => return None,
        })
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Text(cut(text).to_owned(), text.len())
    }
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Self { kind, path: None, wanted: Cow::Borrowed(""), by_type: false, silent: false, repair: None }
    }

    pub(super) fn unspecific() -> Self {
        Self::new(FaultKind::Type(None))
    }

    pub(super) fn length() -> Self {
        Self::new(FaultKind::Length)
    }

    /// Whether its place is known.
    pub(super) fn is_placed(&self) -> bool {
        self.path.is_some()
    }

    /// Fills in the place and what was expected, unless a deeper place did.
    pub(super) fn at(mut self, path: &Path<'_>, wanted: impl Into<Cow<'static, str>>) -> Self {
        if self.path.is_none() {
            self.path = Some(path.write());
            let wanted = wanted.into();
            if !wanted.is_empty() {
                self.wanted = wanted;
            }
        }
        self
    }

    /// Marks the fault as refused by the type itself.
    pub(super) fn by_type(self) -> Self {
        Self { by_type: true, ..self }
    }

    /// Fills in the place of a value that should be of a kind. The kind is not mentioned if the
    /// value is of that kind and the type refuses it for another reason: an invalid UUID is a
    /// string.
    pub(super) fn at_value(self, path: &Path<'_>, wanted: &'static str) -> Self {
        let says_why = wanted.ends_with("in range") && matches!(self.kind, FaultKind::Type(Some(_)));
        let wanted = if self.by_type && !says_why { "" } else { wanted };
        self.at(path, wanted)
    }

    /// Fills in the type that a string does not parse as: "is not a valid UUID".
    pub(super) fn named(self, type_name: &str) -> Self {
        let noun = text_kind::noun(type_name).filter(|_| self.by_type && matches!(self.kind, FaultKind::Type(_)));
        match noun {
            Some(noun) => Self { wanted: Cow::Owned(format!("is not {noun}")), ..self },
            None => self,
        }
    }

    /// Marks the fault as reported: it is about a placeholder for a value that was reported
    /// already.
    pub(super) fn silenced(self) -> Self {
        Self { silent: true, path: Some(self.path.unwrap_or_default()), ..self }
    }

    /// Adds a way to read on.
    pub(super) fn repaired_by(self, repair: impl FnOnce() -> Option<Repair>) -> Self {
        let repair = match self.repair {
            Some(repair) => Some(repair),
            None => repair().map(Box::new),
        };
        Self { repair, ..self }
    }

    pub(super) fn take_repair(&mut self) -> Option<Repair> {
        self.repair.take().map(|repair| *repair)
    }

    /// Fills in a place that was found later.
    pub(super) fn at_written(self, path: String) -> Self {
        Self { path: Some(path), ..self }
    }

    /// Fills in the place of a value about which only its invalidity is known.
    pub(super) fn vague(self, path: &Path<'_>) -> Self {
        if self.is_placed() { self } else { Self::unspecific().at(path, "") }
    }

    /// Returns `None` if it was reported already.
    pub(super) fn into_issue(self) -> Option<Issue> {
        if self.silent {
            return None;
        }
        let path = self.path.unwrap_or_default();
        Some(match self.kind {
            FaultKind::Missing(_) => Issue::new(path, "missing_field", "is required"),
            FaultKind::Unknown(_) => Issue::new(path, "unknown_field", "is not a known field"),
            FaultKind::Variant(_) => Issue::new(path, "enum", "is not one of the allowed values"),
            FaultKind::Duplicate => Issue::new(path, "type", "has a key twice"),
            FaultKind::Type(_) | FaultKind::Length => {
                let message = if self.wanted.is_empty() { Cow::Borrowed("is not valid") } else { self.wanted };
                Issue::new(path, "type", message)
            }
        })
    }
}

impl Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        // Types with flattened fields refuse unknown keys this way.
        let field = starts_with("unknown field `", &text).then(|| text.to_string());
        match field.as_deref().and_then(|text| text.strip_prefix("unknown field `")?.split_once('`')) {
            Some((field, _)) => Self::new(FaultKind::Unknown(field.to_owned())),
            None => Self::unspecific(),
        }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self { wanted: Cow::Borrowed(wanted(expected)), ..Self::new(FaultKind::Type(Seen::of(&unexpected))) }
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::length()
    }

    fn unknown_variant(variant: &str, _: &'static [&'static str]) -> Self {
        Self::new(FaultKind::Variant(cut(variant).to_owned()))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(FaultKind::Unknown(field.to_owned()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(FaultKind::Missing(field))
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::new(FaultKind::Duplicate)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payload does not decode")
    }
}

impl std::error::Error for Fault {}

/// Keeps the start of a text without an allocation: untagged enums refuse every second value.
#[derive(Default)]
struct Start {
    bytes: [u8; 24],
    len: usize,
}

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let len = text.len().min(self.bytes.len() - self.len);
        self.bytes[self.len..self.len + len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
        // Stops the formatting of text that does not fit.
        if len < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

impl Start {
    fn of(text: fmt::Arguments<'_>) -> Self {
        let mut start = Self::default();
        _ = fmt::Write::write_fmt(&mut start, text);
        start
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn starts_with(prefix: &str, text: &impl fmt::Display) -> bool {
    Start::of(format_args!("{text}")).as_bytes().starts_with(prefix.as_bytes())
}

/// Returns what serde's own types expect, in the words of an issue.
fn wanted(expected: &dyn Expected) -> &'static str {
    match Start::of(format_args!("{expected}")).as_bytes() {
        b"i8" | b"i16" | b"i32" | b"i64" | b"i128" | b"u8" | b"u16" | b"u32" | b"u64" | b"u128" | b"usize"
        | b"isize" => "must be an integer in range",
        b"f32" | b"f64" => "must be a number",
        b"a string" | b"a borrowed string" => "must be a string",
        b"a boolean" => "must be true or false",
        b"a character" => "must be a character",
        b"a sequence" => "must be an array",
        b"a map" => "must be an object",
        text if text.starts_with(b"struct ") => "must be an object",
        _ => "",
    }
}
