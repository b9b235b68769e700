//! Asks a type about one place in its values, by giving it only the path there.
//!
//! The cost depends on the type, not on the payload.

use std::{borrow::Cow, cell::Cell};

use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::{BorrowedStrDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{
    fault::{Fault, FaultKind},
    placeholder::{self, Placeholder},
};
use crate::MAX_ISSUES;

/// A longer scalar is not read again.
const SHORT: usize = 256;

/// One step down into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

/// An object that lacks a field: its keys, and the texts of their values.
#[derive(Debug, Default)]
pub(super) struct Object<'a>(pub(super) Vec<(Cow<'a, str>, &'a str)>);

/// Whether the type makes a value of an invalid one at a place, as some `deserialize_with`
/// functions do. Then there is no fault.
pub(super) fn swallows<T: for<'de> Deserialize<'de>>(steps: &[Step]) -> bool {
    let aim = Aim { ask: Ask::Refuse, went_on: Cell::new(false) };
    T::deserialize(Probe { steps, aim: &aim }).is_ok() || aim.went_on.get()
}

/// Returns the fields that an object lacks, given the first one. May miss some if the type refuses
/// the placeholder for another.
pub(super) fn missing<T: for<'de> Deserialize<'de>>(
    steps: &[Step],
    object: &Object<'_>,
    first: &'static str,
) -> Vec<&'static str> {
    let mut found = vec![first];
    while found.len() <= MAX_ISSUES {
        let aim = Aim { ask: Ask::Missing { object, supplied: &found }, went_on: Cell::new(false) };
        match T::deserialize(Probe { steps, aim: &aim }).err().map(|fault| fault.kind) {
            Some(FaultKind::Missing(field)) if !found.contains(&field) => found.push(field),
            _ => break,
        }
    }
    found
}

/// The place and the question.
struct Aim<'p> {
    ask: Ask<'p>,
    /// Whether the type continued after an error.
    went_on: Cell<bool>,
}

enum Ask<'p> {
    /// What happens if the value is refused.
    Refuse,
    /// Which other fields of the struct are missing.
    Missing { object: &'p Object<'p>, supplied: &'p [&'static str] },
}

/// The deserializer of a value on the path, or of the one at its end.
#[derive(Clone, Copy)]
struct Probe<'p> {
    steps: &'p [Step],
    aim: &'p Aim<'p>,
}

impl<'p> Probe<'p> {
    fn below(self) -> Self {
        Self { steps: self.steps.get(1..).unwrap_or_default(), ..self }
    }

    fn map<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match (self.steps.first(), &self.aim.ask) {
            (Some(Step::Key(_)), _) => visitor.visit_map(Way { probe: self, passed: false, before: 0 }),
            (None, Ask::Missing { object, supplied }) => {
                let left = placeholder::budget();
                visitor.visit_map(Members { object: &object.0, supplied, value: None, left: &left })
            }
            _ => Err(Fault::unspecific()),
        }
    }

    fn seq<'de, V: Visitor<'de>>(self, is_tuple: bool, visitor: V) -> Result<V::Value, Fault> {
        match self.steps.first() {
            Some(Step::Item(index)) => {
                let before = if is_tuple { *index } else { 0 };
                visitor.visit_seq(Way { probe: self, passed: false, before })
            }
            _ => Err(Fault::unspecific()),
        }
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::unspecific())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.seq(false, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.seq(true, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.seq(true, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.steps.first() {
            Some(Step::Key(_)) => visitor.visit_enum(self),
            _ => Err(Fault::unspecific()),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Probe<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Fault> {
        let Some(Step::Key(name)) = self.steps.first() else { return Err(Fault::unspecific()) };
        let name: StrDeserializer<'_, Fault> = name.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, self.below()))
    }
}

impl<'de> VariantAccess<'de> for Probe<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Err(Fault::unspecific())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.seq(true, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.map(visitor)
    }
}

/// The one member or element that leads to the place.
struct Way<'p> {
    probe: Probe<'p>,
    passed: bool,
    /// Elements of a tuple in front of it.
    before: usize,
}

impl Way<'_> {
    /// Whether the type continues behind the value, for which it got an error.
    fn ends(&self) -> bool {
        self.probe.aim.went_on.set(self.probe.aim.went_on.get() || self.passed);
        self.passed
    }
}

impl<'de> MapAccess<'de> for Way<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        match self.probe.steps.first() {
            Some(Step::Key(name)) if !self.ends() => {
                let key: StrDeserializer<'_, Fault> = name.as_str().into_deserializer();
                seed.deserialize(key).map(Some)
            }
            _ => Err(Fault::unspecific()),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        self.passed = true;
        seed.deserialize(self.probe.below())
    }
}

impl<'de> SeqAccess<'de> for Way<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        if self.ends() {
            return Err(Fault::unspecific());
        }
        if self.before > 0 {
            self.before -= 1;
            let left = placeholder::budget();
            return seed.deserialize(Placeholder::new(&left)).map(Some).map_err(|_| Fault::unspecific());
        }
        self.passed = true;
        seed.deserialize(self.probe.below()).map(Some)
    }
}

/// The members of the struct in question: those that it has, and placeholders for those that it is
/// known to lack.
struct Members<'p> {
    object: &'p [(Cow<'p, str>, &'p str)],
    supplied: &'p [&'static str],
    /// The text of the next value, if there is one.
    value: Option<&'p str>,
    left: &'p Cell<u16>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        if let Some(((key, value), rest)) = self.object.split_first() {
            self.object = rest;
            self.value = Some(value);
            let key: StrDeserializer<'_, Fault> = key.as_ref().into_deserializer();
            return seed.deserialize(key).map(Some);
        }
        let Some((name, rest)) = self.supplied.split_first() else { return Ok(None) };
        self.supplied = rest;
        self.value = None;
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let value = self.value.take().filter(|text| text.len() <= SHORT && !text.starts_with(['{', '[']));
        match value {
            // A type that refuses placeholders may accept the actual value.
            Some(text) => {
                let text = text.to_owned();
                seed.deserialize(&mut serde_json::Deserializer::from_reader(text.as_bytes()))
                    .map_err(|_| Fault::unspecific())
            }
            // Fields missing inside it do not matter here.
            None => seed.deserialize(Placeholder::new(self.left)).map_err(|_| Fault::unspecific()),
        }
    }
}
