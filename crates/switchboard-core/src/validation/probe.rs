//! Finds the wire name of a Rust field at any depth.
//!
//! `validator` names fields as Rust does. Derived `Deserialize` code passes the wire names of a
//! struct to the deserializer. So a probe that follows the path and stops at the struct learns
//! them, even for nested types without this crate's macros. Runs only after a rule was broken.

use std::{borrow::Cow, cell::Cell, fmt};

use serde::{
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

/// One step down into a value.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Field(Cow<'static, str>),
    Item,
}

/// Returns the wire name of the field `rust` in the struct that `steps` lead to, or its camelCase
/// form if the type does not reveal it (if it is flattened, for example).
pub(super) fn wire_name<T: DeserializeOwned>(steps: &[Step], rust: &str) -> Cow<'static, str> {
    let fields = Cell::new(None);
    // Always ends in an error; the result is what the probe saw before.
    _ = T::deserialize(Probe { steps, fields: &fields });
    let same = |wire: &&&'static str| plain(wire).eq(plain(rust));
    let known = fields.get().unwrap_or_default().iter();
    let camel = camel_case(rust);
    // Exact forms first: beside `username`, `user_name` would be ambiguous.
    let exact = |name: &str| known.clone().find(|wire| **wire == name);
    let found = exact(rust).or_else(|| exact(&camel)).or_else(|| known.clone().find(same)).copied();
    found.map_or(Cow::Owned(camel), Cow::Borrowed)
}

/// The same for a type that is not deserialised.
pub(super) fn no_names(_: &[Step], rust: &str) -> Cow<'static, str> {
    Cow::Owned(camel_case(rust))
}

/// The characters of a name that serde's rename rules do not change.
pub(super) fn plain(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| *c != '_' && *c != '-').map(|c| c.to_ascii_lowercase())
}

pub(super) fn camel_case(rust: &str) -> String {
    let mut name = String::with_capacity(rust.len());
    let mut upper = false;
    for c in rust.chars() {
        if c == '_' {
            upper = !name.is_empty();
        } else if std::mem::take(&mut upper) {
            name.extend(c.to_uppercase());
        } else {
            name.push(c);
        }
    }
    name
}

#[derive(Clone, Copy)]
struct Probe<'a> {
    steps: &'a [Step],
    fields: &'a Cell<Option<&'static [&'static str]>>,
}

/// Stops the decoding: the probe has seen the names.
#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stop")
    }
}

impl std::error::Error for Stop {}

impl Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        Err(Stop)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if self.steps.is_empty() {
            self.fields.set(Some(fields));
            return Err(Stop);
        }
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.steps.first() {
            Some(Step::Field(_)) => visitor.visit_map(self),
            _ => Err(Stop),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.steps.first() {
            Some(Step::Item) => visitor.visit_seq(self),
            _ => Err(Stop),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple_struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Probe<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        match self.steps.first() {
            Some(Step::Field(name)) => {
                let key: StrDeserializer<'_, Stop> = (**name).into_deserializer();
                seed.deserialize(key).map(Some)
            }
            _ => Err(Stop),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(Probe { steps: &self.steps[1..], ..*self })
    }
}

impl<'de> SeqAccess<'de> for Probe<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        seed.deserialize(Probe { steps: &self.steps[1..], ..*self }).map(Some)
    }
}
