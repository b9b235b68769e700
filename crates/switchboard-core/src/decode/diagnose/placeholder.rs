//! A value in place of a refused or missing one, so that the values beside it are read, too.

use std::{any::type_name, cell::Cell};

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
    value::BorrowedStrDeserializer,
};

use super::{fault::Fault, text_kind};

/// How many values one placeholder may consist of, counting nested structs.
const MOST: u16 = 512;

/// How deeply they may be nested.
const DEEPEST: u8 = 16;

/// Gives a type the smallest value that it requests: zero, an empty string, no elements. The type
/// may refuse it.
#[derive(Clone, Copy)]
pub(super) struct Placeholder<'b> {
    left: &'b Cell<u16>,
    depth: u8,
}

/// How many more values may be created.
pub(super) fn budget() -> Cell<u16> {
    Cell::new(MOST)
}

impl<'b> Placeholder<'b> {
    pub(super) fn new(left: &'b Cell<u16>) -> Self {
        Self { left, depth: 0 }
    }

    fn below(self) -> Result<Self, Fault> {
        let left = self.left.get().checked_sub(1).filter(|_| self.depth < DEEPEST).ok_or_else(Fault::unspecific)?;
        self.left.set(left);
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn list(self, len: usize) -> List<'b> {
        List { names: &[], left: len, of: self }
    }

    fn members(self, names: &'static [&'static str]) -> List<'b> {
        List { names, left: names.len(), of: self }
    }
}

macro_rules! scalars {
    ($($visit:ident($value:expr): $($method:ident)*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit($value)
        }
    )*)*};
}

impl<'de> Deserializer<'de> for Placeholder<'_> {
    type Error = Fault;

    scalars! {
        visit_bool(false): deserialize_bool;
        visit_u64(0): deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128;
        visit_f64(0.0): deserialize_f32 deserialize_f64;
        visit_char('a'): deserialize_char;
        visit_borrowed_bytes(&[]): deserialize_bytes deserialize_byte_buf;
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(text_kind::sample(type_name::<V::Value>()).unwrap_or_default())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match text_kind::sample(type_name::<V::Value>()) {
            Some(text) => visitor.visit_borrowed_str(text),
            None => visitor.visit_unit(),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_none()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self.below()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(self.list(0))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(self.list(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_seq(self.list(len))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(self.members(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_map(self.members(fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        // The variant decides how the content is read.
        if type_name::<V>().contains("AdjacentlyTagged") {
            return Err(Fault::unspecific());
        }
        let name = variants.first().ok_or_else(Fault::unspecific)?;
        visitor.visit_enum(First { name, content: self })
    }
}

/// Elements, or members with these names.
struct List<'b> {
    names: &'static [&'static str],
    left: usize,
    of: Placeholder<'b>,
}

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.of.below()?).map(Some)
    }
}

impl<'de> MapAccess<'de> for List<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, rest)) = self.names.split_first() else { return Ok(None) };
        self.names = rest;
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.of.below()?)
    }
}

/// The first variant of an enum.
struct First<'b> {
    name: &'static str,
    content: Placeholder<'b>,
}

impl<'de, 'b> EnumAccess<'de> for First<'b> {
    type Error = Fault;
    type Variant = Placeholder<'b>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Placeholder<'b>), Fault> {
        Ok((seed.deserialize(BorrowedStrDeserializer::new(self.name))?, self.content.below()?))
    }
}

impl<'de> VariantAccess<'de> for Placeholder<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(self.list(len))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(self.members(fields))
    }
}
