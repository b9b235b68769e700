//! A deserializer over JSON text that knows where it is.
//!
//! Whether a value is read or refused, the lexer stands behind it afterwards: so what holds it can go
//! on, and each byte is passed a bounded number of times.

use std::borrow::Cow;

use serde::de::{Deserializer, Visitor};

use super::{
    fault::Fault,
    fields::Fields,
    findings::{Declared, Findings},
    items::Items,
    path::Path,
    scalar,
    variant::{Content, Variant},
};
use crate::{
    decode::{
        number::{self, Single},
        raw_key::RAW_VALUE,
    },
    json::{Lexer, Token},
};

/// As serde_json's own limit.
const MAX_DEPTH: u8 = 127;

/// A value, and where it stands.
pub(super) struct Node<'de, 'n> {
    pub(super) lexer: &'n mut Lexer<'de>,
    pub(super) path: &'n Path<'n>,
    pub(super) context: Context<'n>,
}

/// What the values below inherit.
#[derive(Clone, Copy)]
pub(super) struct Context<'n> {
    pub(super) findings: &'n Findings,
    depth: u8,
    /// Whether it is read into a buffer of serde's, which knows nothing of paths.
    pub(super) buffered: bool,
    /// The struct that the value stands in directly.
    declared: Option<Declared>,
    /// Whether the value stands directly in an object.
    in_object: bool,
}

impl<'n> Context<'n> {
    pub(super) fn root(findings: &'n Findings) -> Self {
        Self { findings, depth: 0, buffered: false, declared: None, in_object: false }
    }

    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, declared: None, in_object: false, ..self }
    }

    pub(super) fn in_object(self, declared: Option<Declared>) -> Self {
        Self { declared, in_object: true, ..self }
    }

    /// Whether a key of the object whose members have this context is passed over.
    pub(super) fn is_ignored(self, key: &str) -> bool {
        self.depth == 1 && self.findings.ignored.contains(&key)
    }

    fn is_too_deep(self) -> bool {
        self.depth >= MAX_DEPTH
    }
}

impl<'de, 'n> Node<'de, 'n> {
    /// Gives a visitor what is neither array nor object.
    fn scalar<V: Visitor<'de>>(
        self,
        wanted: &'static str,
        visitor: V,
        read: impl FnOnce(
            &mut serde_json::Deserializer<serde_json::de::StrRead<'de>>,
            scalar::Keeping<'_, V>,
        ) -> serde_json::Result<V::Value>,
    ) -> Result<V::Value, Fault> {
        match self.lexer.value() {
            Some(text) if !text.starts_with(['{', '[']) => {
                scalar::read(text, visitor, read).map_err(|fault| fault.at_value(self.path, wanted))
            }
            _ => Err(Fault::unspecific().at(self.path, wanted)),
        }
    }

    /// Passes a value that does not fit.
    fn refuse<T>(self, wanted: &'static str) -> Result<T, Fault> {
        self.lexer.value();
        Err(Fault::unspecific().at(self.path, wanted))
    }

    /// `len`: of a tuple.
    pub(super) fn seq<V: Visitor<'de>>(self, len: Option<usize>, visitor: V) -> Result<V::Value, Fault> {
        if self.lexer.peek_byte() != Some(b'[') {
            return self.refuse("be an array");
        }
        if self.context.is_too_deep() {
            return self.refuse("be nested less deeply");
        }
        let Self { lexer, path, context } = self;
        let start = *lexer;
        lexer.next();
        let mut items = Items::new(Node { lexer, path, context: context.deeper() });
        let result = visitor.visit_seq(&mut items);
        // serde_json refuses what a visitor leaves.
        let result = if items.drain() { result } else { result.and(Err(Fault::length())) };
        result.map_err(|fault| match (&fault, len) {
            (Fault { kind: super::fault::FaultKind::Length, .. }, Some(len)) => {
                let elements = if len == 1 { "element" } else { "elements" };
                fault.at(path, format!("have {len} {elements}"))
            }
            _ => fault.blame(start, path, context),
        })
    }

    /// `declared`: of a struct.
    pub(super) fn map<V: Visitor<'de>>(self, declared: Option<Declared>, visitor: V) -> Result<V::Value, Fault> {
        if self.lexer.peek_byte() != Some(b'{') {
            return self.refuse("be an object");
        }
        if self.context.is_too_deep() {
            return self.refuse("be nested less deeply");
        }
        let Self { lexer, path, context } = self;
        let start = *lexer;
        lexer.next();
        let mut access = Fields::new(Node { lexer, path, context: context.deeper() }, declared);
        let result = visitor.visit_map(&mut access);
        let result = if access.drain() { result } else { result.and(Err(Fault::unspecific())) };
        result.map_err(|fault| match fault.missing_among(declared) {
            Some(field) => fault.at(&path.key(field), ""),
            None => fault.blame(start, path, context),
        })
    }
}

macro_rules! scalars {
    ($($wanted:literal: $($method:ident),*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.scalar($wanted, visitor, |json, visitor| json.$method(visitor))
        }
    )*)*};
}

impl<'de> Deserializer<'de> for Node<'de, '_> {
    type Error = Fault;

    scalars! {
        "be true or false": deserialize_bool;
        "be an integer in range": deserialize_i8, deserialize_i16, deserialize_i32, deserialize_i64, deserialize_i128,
            deserialize_u8, deserialize_u16, deserialize_u32, deserialize_u64, deserialize_u128;
        "be a number": deserialize_f64;
        "be a character": deserialize_char;
        "be a string": deserialize_str, deserialize_string, deserialize_identifier;
        "be null": deserialize_unit;
    }

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Fault> {
        if !self.context.buffered {
            self.context.findings.buffer(self.lexer.position());
            self.context.buffered = true;
        }
        match self.lexer.peek_byte() {
            Some(b'{') => self.map(None, visitor),
            Some(b'[') => self.seq(None, visitor),
            Some(b'-' | b'0'..=b'9') if !number::keeps_objects(&visitor) => match self.lexer.value() {
                Some(number) => match self.context.findings.large.mark(number, self.path) {
                    Some(mark) => visitor.visit_f64(mark),
                    None => number::visit(number, visitor),
                }
                .map_err(|fault: Fault| {
                    let wanted = if number::is_in_range(number) { "" } else { "be a number in range" };
                    fault.at(self.path, wanted)
                }),
                None => Err(Fault::unspecific().at(self.path, "")),
            },
            _ => self.scalar("", visitor, |json, visitor| json.deserialize_any(visitor)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.scalar("be a number in range", Single(visitor), |json, visitor| json.deserialize_f32(visitor))
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.lexer.peek_byte() {
            Some(b'[') => self.seq(None, visitor),
            _ => self.scalar("be a string", visitor, |json, visitor| json.deserialize_bytes(visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.seq(None, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.seq(Some(len), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.seq(Some(len), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.map(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.map(Some(Declared { name: Some(name), fields }), visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.lexer.peek_byte() != Some(b'n') {
            return visitor.visit_some(self);
        }
        self.lexer.next();
        visitor.visit_none().map_err(|fault: Fault| fault.at(self.path, ""))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        if name != RAW_VALUE {
            return visitor.visit_newtype_struct(self);
        }
        let text = self.lexer.value().unwrap_or_default();
        scalar::read(text, visitor, |json, visitor| json.deserialize_newtype_struct(name, visitor))
            .map_err(|fault| fault.at(self.path, ""))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Self { lexer, path, context } = self;
        let start = *lexer;
        match lexer.next() {
            Some(Token::String(quoted)) => {
                let variant = Variant { quoted, content: Content::none() };
                visitor.visit_enum(variant).map_err(|fault| fault.at(path, ""))
            }
            Some(Token::BeginObject) if context.is_too_deep() => {
                *lexer = start;
                Node { lexer, path, context }.refuse("be nested less deeply")
            }
            Some(Token::BeginObject) => {
                let Some(Token::String(quoted)) = lexer.next() else {
                    // Empty: the brace that ends it is passed.
                    return Err(Fault::unspecific().at(path, "be one of the allowed values"));
                };
                let name = super::fields::unescape(quoted).unwrap_or(Cow::Borrowed(""));
                let path_of_content = path.key(&name);
                let before = lexer.position();
                let node = Node { lexer: &mut *lexer, path: &path_of_content, context: context.deeper() };
                let result = visitor.visit_enum(Variant { quoted, content: Content::of(node) });
                if lexer.position() == before {
                    lexer.value();
                }
                let mut more = false;
                while !matches!(lexer.peek_byte(), None | Some(b'}')) && lexer.value().is_some() {
                    more = true;
                }
                lexer.next();
                let result = if more { result.and(Err(Fault::unspecific())) } else { result };
                result.map_err(|fault| fault.at(path, ""))
            }
            _ => {
                *lexer = start;
                Node { lexer, path, context }.refuse("be one of the allowed values")
            }
        }
    }

    /// Derived code asks for this at a key that the type does not have.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = self.lexer.value().unwrap_or_default();
        let Context { findings, declared, in_object, .. } = self.context;
        let is_declared = || self.path.last_key().zip(declared).is_some_and(|(key, all)| all.fields.contains(&key));
        if in_object && findings.wants_unknown() && !is_declared() {
            findings.unknown(self.path, declared, value);
        }
        visitor.visit_unit()
    }
}
