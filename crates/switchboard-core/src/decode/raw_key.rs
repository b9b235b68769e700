//! Keys that have a meaning for serde_json.
//!
//! With its feature `raw_value` (which this crate needs), a `serde_json::Value` parses the text of
//! an object with this key: the value is not the one that was sent, and the nesting depth is
//! counted from zero for each such object, on the same stack. So clients may not send the key where
//! a value of any kind is read.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use super::forward::{forward_deserializer, forward_visitor};

pub(super) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Refuses that key. Wraps a map, the seed of its keys, their deserializer or visitor.
pub(super) struct NoRawKey<T>(pub(super) T);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for NoRawKey<A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(NoRawKey(seed))
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for NoRawKey<T> {
    type Value = T::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        self.0.deserialize(NoRawKey(deserializer))
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for NoRawKey<D> {
    type Error = D::Error;

    forward_deserializer!(|this, visitor| this.0, NoRawKey(visitor));

    forward_deserializer! {
        |this, visitor| this.0, NoRawKey(visitor);
        deserialize_any(); deserialize_f32(); deserialize_ignored_any();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

fn check<E: Error>(key: &str) -> Result<(), E> {
    if key == RAW_VALUE { Err(E::custom("a key that no client may send")) } else { Ok(()) }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for NoRawKey<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    forward_visitor!(|this| this.0);

    forward_visitor!(|this| this.0; visit_f64(f64););

    #[inline]
    fn visit_str<E: Error>(self, key: &str) -> Result<V::Value, E> {
        check(key)?;
        self.0.visit_str(key)
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<V::Value, E> {
        check(key)?;
        self.0.visit_borrowed_str(key)
    }

    #[inline]
    fn visit_string<E: Error>(self, key: String) -> Result<V::Value, E> {
        check(&key)?;
        self.0.visit_string(key)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(NoRawKey(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(NoRawKey(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(map)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(data)
    }
}
