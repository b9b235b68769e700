//! Finds numbers that are too large for an `f32`, and the tags of structs, by serialising a message
//! again.
//!
//! serde makes such numbers infinite, which JSON cannot express. If serde decodes from a buffer of
//! its own, for `flatten`, `untagged` and tagged enums, the deserializer does not see that an `f32`
//! is requested. Serialising the message shows it; this is done only after such a number was read.

use std::{cell::RefCell, fmt};

use serde::{
    Serialize,
    ser::{
        Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant, Serializer,
    },
};

/// Whether a number is finite as an `f64` but not as an `f32`.
#[expect(clippy::cast_possible_truncation, reason = "checks whether it fits")]
#[inline]
pub(super) fn overflows(number: f64) -> bool {
    number.is_finite() && !(number as f32).is_finite()
}

/// Whether an `f32` in a value is infinite.
pub(super) fn has_infinite<T: Serialize>(value: &T) -> bool {
    any(value, &mut |single| single.is_infinite())
}

/// Whether `look` returns `true` for any `f32` in the value. Stops at the first.
pub(super) fn any<T: Serialize>(value: &T, look: &mut dyn FnMut(f32) -> bool) -> bool {
    search(value, &mut |found| matches!(found, Found::Single(single) if look(single)))
}

/// Calls a function for every struct that serde writes with its name as a member (`tag` on a
/// struct), with the name and the key of that member. Stops at the first for which it returns
/// `true`.
pub(super) fn any_tag<T: Serialize>(value: &T, look: &mut dyn FnMut(&'static str, &'static str) -> bool) -> bool {
    search(value, &mut |found| matches!(found, Found::Tag(name, key) if look(name, key)))
}

fn search<T: Serialize>(value: &T, look: &mut dyn FnMut(Found) -> bool) -> bool {
    matches!(value.serialize(Search { look: &RefCell::new(look), member: None }), Err(End::Found))
}

enum Found {
    Single(f32),
    /// The name of the struct, and the key.
    Tag(&'static str, &'static str),
}

/// A serializer that passes each find in a value to a function.
#[derive(Clone, Copy)]
struct Search<'l> {
    look: &'l RefCell<&'l mut dyn FnMut(Found) -> bool>,
    /// The struct that is written, and the key of the value.
    member: Option<(&'static str, &'static str)>,
}

impl Search<'_> {
    /// Stops serialising once the function returns `true`.
    fn found(self, found: Found) -> Result<(), End> {
        if (self.look.borrow_mut())(found) { Err(End::Found) } else { Ok(()) }
    }

    /// For the content of the value.
    fn inside(self) -> Self {
        Self { member: None, ..self }
    }
}

#[derive(Debug)]
enum End {
    Found,
    /// The type's own error: the rest of the value is not looked at.
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
            Ok(self.inside())
        }
    )*};
}

impl Serializer for Search<'_> {
    type Ok = ();
    type Error = End;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Members<Self>;
    type SerializeStructVariant = Self;

    passed! {
        serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64);
        serialize_i128(i128); serialize_u8(u8); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64);
        serialize_u128(u128); serialize_f64(f64); serialize_char(char); serialize_bytes(&[u8]);
        serialize_none(); serialize_unit(); serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    compound! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }

    fn serialize_f32(self, single: f32) -> Result<(), End> {
        self.found(Found::Single(single))
    }

    fn serialize_str(self, text: &str) -> Result<(), End> {
        match self.member {
            Some((name, key)) if name == text => self.found(Found::Tag(name, key)),
            _ => Ok(()),
        }
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<Self>, End> {
        Ok(Members { search: self, name })
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), End> {
        value.serialize(self.inside())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), End> {
        value.serialize(self.inside())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), End> {
        value.serialize(self.inside())
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<(), End> {
        Ok(())
    }
}

macro_rules! members {
    ($($name:ident::$method:ident($($key:ty)?);)*) => {$(
        impl $name for Search<'_> {
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
    SerializeStructVariant::serialize_field(&'static str);
}

impl SerializeMap for Search<'_> {
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

/// The members of a struct.
struct Members<S> {
    search: S,
    name: &'static str,
}

impl SerializeStruct for Members<Search<'_>> {
    type Ok = ();
    type Error = End;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), End> {
        value.serialize(Search { member: Some((self.name, key)), ..self.search })
    }

    fn end(self) -> Result<(), End> {
        Ok(())
    }
}
