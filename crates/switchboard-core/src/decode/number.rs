//! Numbers that do not depend on serde_json's features, and that fit their type.
//!
//! With its feature `arbitrary_precision`, serde_json passes numbers of any kind as objects with a
//! key of its own. Code that buffers values, as serde does for `flatten` and tagged enums, then
//! takes a number for an object.

use std::{borrow::Cow, fmt, sync::LazyLock};

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, Error, IntoDeserializer as _, MapAccess, Unexpected, Visitor,
        value::{BorrowedStrDeserializer, StringDeserializer},
    },
};

use super::{forward::forward_visitor, raw_key::NoRawKey, single::overflows};

/// The key of a number that is passed as an object.
const TOKEN: &str = "$serde_json::private::Number";

/// Whether serde_json passes numbers as objects.
pub(super) fn are_objects() -> bool {
    static ARE_OBJECTS: LazyLock<bool> = LazyLock::new(|| {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = bool;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
                Ok(false)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
                map.next_entry::<String, String>().map(|_| true)
            }
        }
        // Some versions pass small integers as integers.
        serde_json::Deserializer::from_str("1.5").deserialize_any(Seen).unwrap_or(true)
    });
    *ARE_OBJECTS
}

/// Whether a visitor is one of serde_json's own, which keep every digit of such an object.
pub(super) fn keeps_objects<'de>(visitor: &impl Visitor<'de>) -> bool {
    struct Expecting<'a, V>(&'a V);
    impl<'de, V: Visitor<'de>> fmt::Display for Expecting<'_, V> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.expecting(f)
        }
    }
    are_objects() && matches!(Expecting(visitor).to_string().as_str(), "any valid JSON value" | "a JSON number")
}

/// Passes the number to a visitor, as serde_json does without that feature.
pub(super) fn visit<'de, V: Visitor<'de>, E: Error>(number: &str, visitor: V) -> Result<V::Value, E> {
    if !number.contains(['.', 'e', 'E']) && number != "-0" {
        if let Ok(n) = number.parse() {
            return visitor.visit_u64(n);
        }
        if let Ok(n) = number.parse() {
            return visitor.visit_i64(n);
        }
    }
    match float(number) {
        Some(n) => visitor.visit_f64(n),
        None => Err(E::invalid_value(Unexpected::Other("a number out of range"), &visitor)),
    }
}

/// Whether the number fits an `f64`, as serde_json decides without that feature.
pub(super) fn is_in_range(number: &str) -> bool {
    float(number).is_some()
}

fn float(number: &str) -> Option<f64> {
    serde_json::from_str(number).ok().filter(|n: &f64| n.is_finite())
}

/// A visitor for values of any kind that gets numbers as numbers.
pub(super) struct Plain<V>(pub(super) V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Plain<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    forward_visitor!(|this| this.0);

    forward_visitor! {
        |this| this.0;
        visit_f64(f64); visit_str(&str); visit_borrowed_str(&'de str); visit_string(String);
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(deserializer)
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(deserializer)
    }

    #[inline]
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(seq)
    }

    #[inline]
    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(data)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<V::Value, A::Error> {
        if !are_objects() {
            return self.0.visit_map(NoRawKey(map));
        }
        let first = map.next_key_seed(Text)?;
        if first.as_deref() == Some(TOKEN) && !keeps_objects(&self.0) {
            let number: String = map.next_value()?;
            return visit(&number, self.0);
        }
        self.0.visit_map(NoRawKey(Replayed { first, map }))
    }
}

/// A map whose first key was read.
struct Replayed<'de, A> {
    first: Option<Cow<'de, str>>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Replayed<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(Cow::Borrowed(key)) => seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some),
            Some(Cow::Owned(key)) => {
                let key: StringDeserializer<A::Error> = key.into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.map.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.map.size_hint()
    }
}

/// A key, borrowed if possible.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A visitor for an `f32`, which serde makes infinite if the number is too large for it.
pub(super) struct Single<V>(pub(super) V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Single<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    forward_visitor!(|this| this.0; visit_i64(i64); visit_u64(u64); visit_f32(f32););

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        if overflows(value) {
            Err(E::invalid_value(Unexpected::Float(value), &self.0))
        } else {
            self.0.visit_f64(value)
        }
    }
}
