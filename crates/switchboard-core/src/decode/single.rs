//! Numbers that are too large for an `f32`.
//!
//! serde makes them infinite, and JSON has no way to write that. Where serde decodes from a buffer of its
//! own, for `flatten`, `untagged` and tagged enums, it does not ask for an `f32` in a way that shows.
//! Serialising the message does show it; this is done only once such a number was read.

use std::{cell::RefCell, fmt};

use serde::{
    Serialize,
    ser::{
        Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant, Serializer,
    },
};

/// Whether a number is finite, but not as an `f32`.
#[expect(clippy::cast_possible_truncation, reason = "that it may not fit is what is asked")]
#[inline]
pub(super) fn overflows(number: f64) -> bool {
    number.is_finite() && !(number as f32).is_finite()
}

/// Whether an `f32` in a value is infinite.
pub(super) fn has_infinite<T: Serialize>(value: &T) -> bool {
    any(value, &mut |single| single.is_infinite())
}

/// Whether there is an `f32` for which `look` returns `true`; the first one ends the search.
pub(super) fn any<T: Serialize>(value: &T, look: &mut dyn FnMut(f32) -> bool) -> bool {
    matches!(value.serialize(Singles(&RefCell::new(look))), Err(End::Found))
}

/// Passes every `f32` of a value to a function.
#[derive(Clone, Copy)]
struct Singles<'l>(&'l RefCell<&'l mut dyn FnMut(f32) -> bool>);

#[derive(Debug)]
enum End {
    Found,
    /// The type's own error: what it does not write is not looked at.
    Failed,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the search for numbers ended")
    }
}

impl std::error::Error for End {}

impl Error for End {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Failed
    }
}

macro_rules! passed {
    ($($method:ident($($arg:ty),*);)*) => {$(
        fn $method(self, $(_: $arg),*) -> Result<(), End> {
            Ok(())
        }
    )*};
}

macro_rules! compound {
    ($($method:ident($($arg:ty),*) -> $compound:ident;)*) => {$(
        fn $method(self, $(_: $arg),*) -> Result<Self::$compound, End> {
            Ok(self)
        }
    )*};
}

impl Serializer for Singles<'_> {
    type Ok = ();
    type Error = End;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    passed! {
        serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64);
        serialize_i128(i128); serialize_u8(u8); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64);
        serialize_u128(u128); serialize_f64(f64); serialize_char(char); serialize_str(&str); serialize_bytes(&[u8]);
        serialize_none(); serialize_unit(); serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    compound! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }

    fn serialize_f32(self, single: f32) -> Result<(), End> {
        // A value cannot be serialised while the function runs: it gets a number only.
        if (self.0.borrow_mut())(single) { Err(End::Found) } else { Ok(()) }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), End> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), End> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), End> {
        value.serialize(self)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<(), End> {
        Ok(())
    }
}

macro_rules! members {
    ($($name:ident::$method:ident($($key:ty)?);)*) => {$(
        impl $name for Singles<'_> {
            type Ok = ();
            type Error = End;

            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $key,)? value: &T) -> Result<(), End> {
                value.serialize(*self)
            }

            fn end(self) -> Result<(), End> {
                Ok(())
            }
        }
    )*};
}

members! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(&'static str);
    SerializeStructVariant::serialize_field(&'static str);
}

impl SerializeMap for Singles<'_> {
    type Ok = ();
    type Error = End;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), End> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), End> {
        value.serialize(*self)
    }

    fn end(self) -> Result<(), End> {
        Ok(())
    }
}
