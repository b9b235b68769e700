//! A struct with two fields, which is how serde reads an enum with `tag` and `content`.
//!
//! If the content is first, serde buffers it and reads it less strictly, so such a struct gets a
//! second look. The sign is a value of any kind followed by an enum. Other structs may look like
//! that, too; for them the second look finds nothing.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::Strict;
use crate::decode::forward::forward_deserializer;

/// A visitor for such a struct, which accepts only a map.
pub(super) struct TwoFields<'f, V>(pub(super) Strict<'f, V>);

impl<'de, V: Visitor<'de>> Visitor<'de> for TwoFields<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Strict { inner, suspect } = self.0;
        inner.visit_map(Members { map: Strict::new(map, suspect), behind_any: Cell::new(false) })
    }
}

struct Members<'f, A> {
    map: Strict<'f, A>,
    /// Whether a value of any kind was read.
    behind_any: Cell<bool>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.map.inner.next_key_seed(seed)
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let inner = Strict::new(seed, self.map.suspect);
        self.map.inner.next_value_seed(Member { inner, behind_any: &self.behind_any })
    }

    fn size_hint(&self) -> Option<usize> {
        self.map.size_hint()
    }
}

/// The seed or deserializer of a value.
struct Member<'m, 'f, T> {
    inner: Strict<'f, T>,
    behind_any: &'m Cell<bool>,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Member<'_, '_, T> {
    type Value = T::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let Strict { inner, suspect } = self.inner;
        inner.deserialize(Member { inner: Strict::new(deserializer, suspect), behind_any: self.behind_any })
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Member<'_, '_, D> {
    type Error = D::Error;

    forward_deserializer!(|this, visitor| this.inner, visitor);

    forward_deserializer! {
        |this, visitor| this.inner, visitor;
        deserialize_f32(); deserialize_ignored_any();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.behind_any.set(true);
        self.inner.deserialize_any(visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        if self.behind_any.get() {
            self.inner.suspect.late_tag.set(true);
        }
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}
