//! The key of a map, as written in JSON.

use std::fmt::{self, Display};

use serde::ser::{Error, Impossible, Serialize, Serializer};

use super::path::Text;

/// Writes a key; writes nothing if JSON cannot have it.
pub(super) fn write<K: Serialize + ?Sized>(key: &K, text: &mut Text) {
    _ = key.serialize(Key(text));
}

struct Key<'a>(&'a mut Text);

/// JSON has no such key, so the value has no path.
#[derive(Debug)]
struct NoKey;

impl Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a key")
    }
}

impl std::error::Error for NoKey {}

impl Error for NoKey {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

macro_rules! displayed {
    ($($method:ident: $ty:ty;)*) => {$(
        fn $method(self, value: $ty) -> Result<(), NoKey> {
            self.collect_str(&value)
        }
    )*};
}

impl Serializer for Key<'_> {
    type Ok = ();
    type Error = NoKey;
    type SerializeSeq = Impossible<(), NoKey>;
    type SerializeTuple = Impossible<(), NoKey>;
    type SerializeTupleStruct = Impossible<(), NoKey>;
    type SerializeTupleVariant = Impossible<(), NoKey>;
    type SerializeMap = Impossible<(), NoKey>;
    type SerializeStruct = Impossible<(), NoKey>;
    type SerializeStructVariant = Impossible<(), NoKey>;

    displayed! {
        serialize_bool: bool; serialize_i8: i8; serialize_i16: i16; serialize_i32: i32; serialize_i64: i64;
        serialize_i128: i128; serialize_u8: u8; serialize_u16: u16; serialize_u32: u32; serialize_u64: u64;
        serialize_u128: u128; serialize_f32: f32; serialize_f64: f64; serialize_char: char;
    }

    fn serialize_str(self, value: &str) -> Result<(), NoKey> {
        self.0.push(value);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), NoKey> {
        fmt::write(self.0, format_args!("{value}")).map_err(|_| NoKey)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), NoKey> {
        Err(NoKey)
    }

    fn serialize_none(self) -> Result<(), NoKey> {
        Err(NoKey)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoKey> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NoKey> {
        Err(NoKey)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoKey> {
        Err(NoKey)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), NoKey> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), NoKey> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NoKey> {
        Err(NoKey)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NoKey> {
        Err(NoKey)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NoKey> {
        Err(NoKey)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, NoKey> {
        Err(NoKey)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NoKey> {
        Err(NoKey)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, NoKey> {
        Err(NoKey)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, NoKey> {
        Err(NoKey)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NoKey> {
        Err(NoKey)
    }
}
