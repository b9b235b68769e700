//! The key of an object, as serde_json reads it: a string that may stand for a number or `true`.

use std::borrow::Cow;

use serde::{Deserializer, de::Visitor, forward_to_deserialize_any};

use super::{
    fault::Fault,
    scalar,
    variant::{Content, Variant},
};

pub(super) struct Key<'de, 'k> {
    /// As it is written.
    pub(super) quoted: &'de str,
    pub(super) text: &'k Cow<'de, str>,
}

impl<'de> Key<'de, '_> {
    /// Returns the key without quotes, if it can be a number.
    fn number(&self) -> Result<&'de str, Fault> {
        let inner = self.quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        let starts = inner.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        // White space, which serde_json skips behind values, is refused.
        let ends = inner.ends_with(|c: char| c.is_ascii_digit());
        if starts && ends { Ok(inner) } else { Err(Fault::unspecific()) }
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            scalar::read(self.number()?, visitor, |json, visitor| json.$method(visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de, '_> {
    type Error = Fault;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.text {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_str(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.quoted {
            "\"true\"" => visitor.visit_bool(true),
            "\"false\"" => visitor.visit_bool(false),
            _ => Err(Fault::unspecific()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        if name == crate::decode::raw_key::RAW_VALUE {
            return scalar::read(self.quoted, visitor, |json, visitor| json.deserialize_newtype_struct(name, visitor));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(Variant { quoted: self.quoted, content: Content::none() })
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        scalar::read(self.quoted, visitor, |json, visitor| json.deserialize_bytes(visitor))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bytes(visitor)
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
