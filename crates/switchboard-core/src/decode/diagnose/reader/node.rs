//! A deserializer over JSON text that tracks its position.
//!
//! Whether a value is read or refused, the lexer is behind it afterwards. So the object or array
//! can continue, and each byte is passed a bounded number of times.

use std::{any::type_name, borrow::Cow};

use serde::de::{DeserializeSeed, Deserializer, Visitor};

use super::{
    fault::Fault,
    fields::Fields,
    findings::{Declared, Findings, Placeholders},
    items::Items,
    path::Path,
    placeholder::Placeholder,
    probe::Object,
    repair::Repair,
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

/// A value and its path.
pub(in crate::decode::diagnose) struct Node<'de, 'n> {
    pub(in crate::decode::diagnose) lexer: &'n mut Lexer<'de>,
    pub(in crate::decode::diagnose) path: &'n Path<'n>,
    pub(in crate::decode::diagnose) context: Context<'n>,
}

/// The part of the state that nested values inherit.
#[derive(Clone, Copy)]
pub(in crate::decode::diagnose) struct Context<'n> {
    pub(in crate::decode::diagnose) findings: &'n Findings,
    depth: u8,
    /// Whether it is read into a buffer of serde's, which does not know paths.
    pub(in crate::decode::diagnose) buffered: bool,
    /// Whether it is read by code that serde did not derive, which may read one value depending on
    /// another.
    by_hand: bool,
    /// The struct that directly contains the value.
    declared: Option<Declared>,
    /// Whether the value is directly in an object.
    in_object: bool,
}

impl<'n> Context<'n> {
    pub(in crate::decode::diagnose) fn root(findings: &'n Findings) -> Self {
        Self { findings, depth: 0, buffered: false, by_hand: false, declared: None, in_object: false }
    }

    /// The context inside a value that a visitor of this name reads.
    fn deeper(self, visitor: &str) -> Self {
        let trusted = self.placeholders().is_some_and(|all| (all.is_trusted)(visitor));
        let by_hand = self.by_hand || !trusted;
        Self { depth: self.depth + 1, declared: None, in_object: false, by_hand, ..self }
    }

    /// Returns the placeholders, if there may be any.
    pub(super) fn placeholders(self) -> Option<&'n Placeholders> {
        self.findings.placeholders.as_ref().filter(|_| !self.buffered && !self.by_hand)
    }

    pub(super) fn in_object(self, declared: Option<Declared>) -> Self {
        Self { declared, in_object: true, ..self }
    }

    /// Whether a key of the object whose members have this context is skipped.
    pub(super) fn is_ignored(self, key: &str) -> bool {
        self.depth == 1 && self.findings.ignored.contains(&key)
    }

    /// Returns the repair for a value that a type has refused.
    pub(super) fn replacing(self, start: Lexer<'_>) -> Option<Repair> {
        let placeholders = self.placeholders()?;
        let position = start.position();
        // If the placeholder was refused, too, the object or array gets one.
        (!placeholders.repairs.is_replaced(position)).then_some(Repair::Replace(position))
    }

    fn is_too_deep(self) -> bool {
        self.depth >= MAX_DEPTH
    }
}

impl<'de, 'n> Node<'de, 'n> {
    /// Reads the value, or a placeholder if it was refused in the last pass.
    pub(super) fn read<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        match self.context.placeholders() {
            Some(placeholders) if placeholders.repairs.is_replaced(self.lexer.position()) => {
                self.lexer.value();
                seed.deserialize(placeholders.again(self.path)).map_err(Fault::silenced)
            }
            _ => seed.deserialize(self),
        }
    }

    /// Gives a scalar to a visitor. `fits`: the first bytes of values of the kind that it requests.
    /// `instead`: the same for a placeholder.
    fn scalar<V: Visitor<'de>>(
        self,
        fits: &[u8],
        wanted: &'static str,
        visitor: V,
        read: impl FnOnce(
            &mut serde_json::Deserializer<serde_json::de::StrRead<'de>>,
            scalar::Keeping<'_, V>,
        ) -> serde_json::Result<V::Value>,
        instead: impl FnOnce(Placeholder<'n>, V) -> Result<V::Value, Fault>,
    ) -> Result<V::Value, Fault> {
        if !self.lexer.peek_byte().is_some_and(|byte| fits.contains(&byte)) {
            return self.refuse(wanted, |placeholder| instead(placeholder, visitor));
        }
        let text = self.lexer.value().unwrap_or_default();
        scalar::read(text, visitor, read)
            .map_err(|fault| fault.named(type_name::<V::Value>()).at_value(self.path, wanted))
    }

    /// Skips a value of another kind than the type requests. The type gets a placeholder for it if
    /// possible.
    fn refuse<T>(
        self,
        wanted: &'static str,
        instead: impl FnOnce(Placeholder<'n>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.lexer.value();
        match self.context.placeholders().and_then(|all| all.put(self.path, self.path, "type", wanted)) {
            Some(placeholder) => instead(placeholder).map_err(Fault::silenced),
            None => Err(Fault::unspecific().at(self.path, wanted)),
        }
    }

    fn too_deep<T>(self) -> Result<T, Fault> {
        self.lexer.value();
        Err(Fault::unspecific().at(self.path, "must be nested less deeply"))
    }

    /// `len`: of a tuple.
    pub(super) fn seq<V: Visitor<'de>>(self, len: Option<usize>, visitor: V) -> Result<V::Value, Fault> {
        if self.lexer.peek_byte() != Some(b'[') {
            return self.refuse("must be an array", |placeholder| match len {
                Some(len) => placeholder.deserialize_tuple(len, visitor),
                None => placeholder.deserialize_seq(visitor),
            });
        }
        if self.context.is_too_deep() {
            return self.too_deep();
        }
        let Self { lexer, path, context } = self;
        let start = *lexer;
        lexer.next();
        let mut items = Items::new(Node { lexer, path, context: context.deeper(type_name::<V>()) });
        let result = visitor.visit_seq(&mut items);
        // serde_json refuses values that a visitor leaves unread.
        let result = if items.drain() { result } else { result.and(Err(Fault::length())) };
        result.map_err(|fault| match (&fault, len) {
            (Fault { kind: super::fault::FaultKind::Length, .. }, Some(len)) => {
                let elements = if len == 1 { "element" } else { "elements" };
                fault.at(path, format!("must have {len} {elements}"))
            }
            _ => fault.blame(start, path, context),
        })
    }

    /// `declared`: of a struct.
    pub(super) fn map<V: Visitor<'de>>(self, declared: Option<Declared>, visitor: V) -> Result<V::Value, Fault> {
        if self.lexer.peek_byte() != Some(b'{') {
            return self.refuse("must be an object", |placeholder| match declared {
                Some(Declared { fields, .. }) => placeholder.deserialize_struct("", fields, visitor),
                None => placeholder.deserialize_map(visitor),
            });
        }
        if self.context.is_too_deep() {
            return self.too_deep();
        }
        let Self { lexer, path, context } = self;
        let start = *lexer;
        lexer.next();
        let type_of = type_name::<V>();
        let mut access = Fields::new(Node { lexer, path, context: context.deeper(type_of) }, declared, start, type_of);
        let result = visitor.visit_map(&mut access);
        let result = if access.drain() { result } else { result.and(Err(Fault::unspecific())) };
        result.map_err(|fault| match fault.missing_among(declared) {
            Some(field) => {
                let missing = || {
                    let placeholders = context.placeholders()?;
                    let object = members(start);
                    Some(Repair::Supply(placeholders.missing(&object, path, field, start.position(), type_of)))
                };
                fault.at(&path.key(field), "").repaired_by(missing)
            }
            None => fault.blame(start, path, context),
        })
    }
}

/// Returns the members of the object that starts here.
fn members<'de>(mut lexer: Lexer<'de>) -> Object<'de> {
    let mut members = Vec::new();
    lexer.next();
    while let Some(Token::String(quoted)) = lexer.next() {
        let Some((key, value)) = super::fields::unescape(quoted).zip(lexer.value()) else { break };
        members.push((key, value));
    }
    Object(members)
}

const NUMBER: &[u8] = b"-0123456789";
const ANY: &[u8] = b"-0123456789tfn\"";

macro_rules! scalars {
    ($($wanted:literal $fits:expr => $($method:ident),*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.scalar(
                $fits,
                $wanted,
                visitor,
                |json, visitor| json.$method(visitor),
                |placeholder, visitor| placeholder.$method(visitor),
            )
        }
    )*)*};
}

impl<'de> Deserializer<'de> for Node<'de, '_> {
    type Error = Fault;

    scalars! {
        "must be true or false" b"tf" => deserialize_bool;
        "must be an integer in range" NUMBER => deserialize_i8, deserialize_i16, deserialize_i32, deserialize_i64, deserialize_i128,
            deserialize_u8, deserialize_u16, deserialize_u32, deserialize_u64, deserialize_u128;
        "must be a number" NUMBER => deserialize_f64;
        "must be a character" b"\"" => deserialize_char;
        "must be a string" b"\"" => deserialize_str, deserialize_string, deserialize_identifier;
        "must be null" b"n" => deserialize_unit;
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
                    let wanted = if number::is_in_range(number) { "" } else { "must be a number in range" };
                    fault.at(self.path, wanted)
                }),
                None => Err(Fault::unspecific().at(self.path, "")),
            },
            _ => self.scalar(
                ANY,
                "",
                visitor,
                |json, visitor| json.deserialize_any(visitor),
                |placeholder, visitor| placeholder.deserialize_any(visitor),
            ),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.scalar(
            NUMBER,
            "must be a number in range",
            Single(visitor),
            |json, visitor| json.deserialize_f32(visitor),
            |placeholder, visitor| placeholder.deserialize_f32(visitor),
        )
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.lexer.peek_byte() {
            Some(b'[') => self.seq(None, visitor),
            _ => self.scalar(
                b"\"",
                "must be a string",
                visitor,
                |json, visitor| json.deserialize_bytes(visitor),
                |placeholder, visitor| placeholder.deserialize_bytes(visitor),
            ),
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
        name: &'static str,
        variants: &'static [&'static str],
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
                Node { lexer, path, context }.too_deep()
            }
            Some(Token::BeginObject) => {
                let Some(Token::String(quoted)) = lexer.next() else {
                    // Empty: the closing brace is passed.
                    return Err(Fault::unspecific().at(path, "must be one of the allowed values"));
                };
                let variant = super::fields::unescape(quoted).unwrap_or(Cow::Borrowed(""));
                let path_of_content = path.key(&variant);
                let before = lexer.position();
                let node =
                    Node { lexer: &mut *lexer, path: &path_of_content, context: context.deeper(type_name::<V>()) };
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
                Node { lexer, path, context }.refuse("must be one of the allowed values", |placeholder| {
                    placeholder.deserialize_enum(name, variants, visitor)
                })
            }
        }
    }

    /// Derived code calls this for a key that the type does not have.
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
