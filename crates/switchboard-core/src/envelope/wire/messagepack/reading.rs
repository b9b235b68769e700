//! A visitor that writes what it gets as JSON.

use std::fmt;

use serde::{
    Deserialize as _, Deserializer, Serialize,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A number that no type holds, for what JSON does not have.
const NO_JSON: &[u8] = b"1e999";

/// Writes one value.
pub(super) struct Value<'a>(pub(super) &'a mut Vec<u8>);

/// Writes one key of an object: a string, or what JSON puts into one.
struct Key<'a>(&'a mut Vec<u8>);

/// Appends what serialises to one JSON token.
fn write<E: Error>(out: &mut Vec<u8>, value: impl Serialize) -> Result<(), E> {
    serde_json::to_writer(out, &value).map_err(E::custom)
}

fn write_quoted<E: Error>(out: &mut Vec<u8>, value: impl fmt::Display) -> Result<(), E> {
    out.extend_from_slice(format!("\"{value}\"").as_bytes());
    Ok(())
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        write(self.0, ())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        write(self.0, ())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        write(self.0, value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        write(self.0, value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        write(self.0, value)
    }

    fn visit_f32<E: Error>(self, value: f32) -> Result<(), E> {
        // Its own shortest text, not that of the nearest `f64`.
        if value.is_finite() { write(self.0, value) } else { self.visit_f64(f64::from(value)) }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if value.is_finite() {
            return write(self.0, value);
        }
        if value == f64::NEG_INFINITY {
            self.0.push(b'-');
        }
        self.0.extend_from_slice(NO_JSON);
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        write(self.0, text)
    }

    /// An array of numbers.
    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<(), E> {
        write(self.0, bytes)
    }

    /// An extension type, such as a timestamp.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        self.0.extend_from_slice(NO_JSON);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self(out) = self;
        out.push(b'[');
        let start = out.len();
        loop {
            let end = out.len();
            if end > start {
                out.push(b',');
            }
            if seq.next_element_seed(Value(&mut *out))?.is_none() {
                out.truncate(end);
                break;
            }
        }
        out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(out) = self;
        out.push(b'{');
        let start = out.len();
        loop {
            let end = out.len();
            if end > start {
                out.push(b',');
            }
            if map.next_key_seed(Key(&mut *out))?.is_none() {
                out.truncate(end);
                break;
            }
            out.push(b':');
            map.next_value_seed(Value(&mut *out))?;
        }
        out.push(b'}');
        Ok(())
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number or a boolean")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        write_quoted(self.0, value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        write_quoted(self.0, value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        write_quoted(self.0, value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        write(self.0, text)
    }
}
