//! Scalars: read by serde_json, so that the same values are accepted and refused.

use std::cell::Cell;

use serde::de::{Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Error as JsonError, de::StrRead};

use super::fault::Fault;

type Json<'de> = serde_json::Deserializer<StrRead<'de>>;

/// Reads one value. `read` calls the method of serde_json's deserializer that the type requested.
pub(super) fn read<'de, V: Visitor<'de>>(
    text: &'de str,
    visitor: V,
    read: impl FnOnce(&mut Json<'de>, Keeping<'_, V>) -> Result<V::Value, JsonError>,
) -> Result<V::Value, Fault> {
    let fault = Cell::new(None);
    let mut json = serde_json::Deserializer::from_str(text);
    let value = read(&mut json, Keeping { visitor, fault: &fault }).and_then(|value| json.end().map(|()| value));
    value.map_err(|_| fault.take().unwrap_or_else(Fault::unspecific))
}

/// A visitor whose own errors are kept beside serde_json's.
pub(super) struct Keeping<'f, V> {
    visitor: V,
    fault: &'f Cell<Option<Fault>>,
}

impl<V> Keeping<'_, V> {
    fn keep<T, E: Error>(fault: &Cell<Option<Fault>>, result: Result<T, Fault>) -> Result<T, E> {
        result.map_err(|found| {
            fault.set(Some(found.by_type()));
            E::custom("")
        })
    }
}

macro_rules! keep_visit {
    ($($method:ident($($value:ident: $ty:ty)?);)*) => {$(
        fn $method<E: Error>(self, $($value: $ty)?) -> Result<V::Value, E> {
            Self::keep(self.fault, self.visitor.$method($($value)?))
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Keeping<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.visitor.expecting(f)
    }

    keep_visit! {
        visit_unit(); visit_none(); visit_bool(value: bool);
        visit_i64(value: i64); visit_u64(value: u64); visit_i128(value: i128); visit_u128(value: u128);
        visit_f32(value: f32); visit_f64(value: f64);
        visit_str(value: &str); visit_borrowed_str(value: &'de str);
        visit_bytes(value: &[u8]); visit_borrowed_bytes(value: &'de [u8]);
    }

    // For values that stand for others, such as `RawValue`.

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(map)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(data)
    }
}
