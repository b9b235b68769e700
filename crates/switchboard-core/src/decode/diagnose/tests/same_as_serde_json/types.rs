//! Generated types.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// A type, which decodes into the text of its value.
#[derive(Debug, Clone)]
pub(super) enum Type {
    Bool,
    Char,
    Text,
    Unit,
    Any,
    Bytes,
    Number(Number),
    Option(Box<Self>),
    New(Box<Self>),
    List(Box<Self>),
    Tuple(Vec<Self>),
    Map(Key, Box<Self>),
    Struct(Vec<Self>),
    Enum(Box<Self>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    I8,
    I64,
    I128,
    U8,
    U64,
    U128,
    F32,
    F64,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Text,
    Bool,
    Number(Number),
    New,
    Enum,
}

pub(super) const FIELDS: [&str; 4] = ["a", "b", "c", "d"];
pub(super) const VARIANTS: [&str; 4] = ["Unit", "One", "Two", "Fields"];

impl<'de> DeserializeSeed<'de> for &Type {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<String, D::Error> {
        match self {
            Type::Bool => de.deserialize_bool(self),
            Type::Char => de.deserialize_char(self),
            Type::Text => de.deserialize_str(self),
            Type::Unit => de.deserialize_unit(self),
            Type::Any => de.deserialize_any(self),
            Type::Bytes => de.deserialize_bytes(self),
            Type::Number(number) => number.deserialize(de),
            Type::Option(_) => de.deserialize_option(self),
            Type::New(_) => de.deserialize_newtype_struct("New", self),
            Type::List(_) => de.deserialize_seq(self),
            Type::Tuple(types) => de.deserialize_tuple(types.len(), self),
            Type::Map(..) => de.deserialize_map(self),
            Type::Struct(types) => de.deserialize_struct("Struct", &FIELDS[..types.len()], self),
            Type::Enum(_) => de.deserialize_enum("Enum", &VARIANTS, self),
        }
    }
}

macro_rules! show {
    ($($ty:ident($($field:pat)?): $method:ident $value:ty;)*) => {$(
        fn $method<E: Error>(self, value: $value) -> Result<String, E> {
            match self {
                Type::$ty $(($field))? | Type::Any => Ok(format!("{value:?}")),
                _ => Err(E::custom("another type")),
            }
        }
    )*};
}

impl<'de> Visitor<'de> for &Type {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }

    show! {
        Bool(): visit_bool bool;
        Number(_): visit_u64 u64;
        Number(_): visit_i64 i64;
        Number(_): visit_f64 f64;
        Bytes(): visit_bytes &[u8];
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        let one = text.chars().count() == 1;
        match self {
            Type::Text | Type::Any => Ok(format!("{text:?}")),
            Type::Char if one => Ok(format!("{text:?}")),
            _ => Err(E::custom("another type")),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        match self {
            Type::Unit | Type::Any => Ok("()".into()),
            _ => Err(E::custom("another type")),
        }
    }

    fn visit_none<E: Error>(self) -> Result<String, E> {
        Ok("None".into())
    }

    fn visit_some<D: Deserializer<'de>>(self, de: D) -> Result<String, D::Error> {
        let Type::Option(inner) = self else { return Err(D::Error::custom("another type")) };
        inner.deserialize(de)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, de: D) -> Result<String, D::Error> {
        let Type::New(inner) = self else { return Err(D::Error::custom("another type")) };
        inner.deserialize(de)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<String, A::Error> {
        let mut all = Vec::new();
        match self {
            Type::List(inner) => {
                while let Some(one) = seq.next_element_seed(&**inner)? {
                    all.push(one);
                }
            }
            Type::Any => {
                while let Some(one) = seq.next_element_seed(self)? {
                    all.push(one);
                }
            }
            Type::Bytes => {
                while let Some(one) = seq.next_element::<u8>()? {
                    all.push(one.to_string());
                }
            }
            Type::Tuple(types) => {
                for (i, one) in types.iter().enumerate() {
                    all.push(seq.next_element_seed(one)?.ok_or_else(|| A::Error::invalid_length(i, &self))?);
                }
            }
            _ => return Err(A::Error::custom("another type")),
        }
        Ok(format!("{all:?}"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
        let mut all = Vec::new();
        match self {
            Type::Map(key, inner) => {
                while let Some(key) = map.next_key_seed(*key)? {
                    all.push((key, map.next_value_seed(&**inner)?));
                }
            }
            Type::Any => {
                while let Some(key) = map.next_key_seed(self)? {
                    all.push((key, map.next_value_seed(self)?));
                }
            }
            Type::Struct(types) => {
                let mut values = vec![None; types.len()];
                while let Some(key) = map.next_key::<String>()? {
                    match FIELDS[..types.len()].iter().position(|field| *field == key) {
                        Some(i) if values[i].is_some() => return Err(A::Error::duplicate_field(FIELDS[i])),
                        Some(i) => values[i] = Some(map.next_value_seed(&types[i])?),
                        None => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                for (i, value) in values.into_iter().enumerate() {
                    let value = match types[i] {
                        Type::Option(_) => value.unwrap_or_default(),
                        _ => value.ok_or_else(|| A::Error::missing_field(FIELDS[i]))?,
                    };
                    all.push((FIELDS[i].to_owned(), value));
                }
            }
            _ => return Err(A::Error::custom("another type")),
        }
        Ok(format!("{all:?}"))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<String, A::Error> {
        let Type::Enum(inner) = self else { return Err(A::Error::custom("another type")) };
        let (name, content) = data.variant_seed(Variant)?;
        let value = match name {
            "Unit" => content.unit_variant().map(|()| String::new())?,
            "One" => content.newtype_variant_seed(&**inner)?,
            "Two" => content.tuple_variant(2, &two(inner))?,
            _ => content.struct_variant(&FIELDS[..1], &fields(inner))?,
        };
        Ok(format!("{name} {value}"))
    }
}

pub(super) fn two(inner: &Type) -> Type {
    Type::Tuple(vec![inner.clone(), inner.clone()])
}

pub(super) fn fields(inner: &Type) -> Type {
    Type::Struct(vec![inner.clone()])
}

pub(super) struct Variant;

impl<'de> DeserializeSeed<'de> for Variant {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<&'static str, D::Error> {
        de.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Variant {
    type Value = &'static str;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a variant")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<&'static str, E> {
        VARIANTS.into_iter().find(|name| *name == text).ok_or_else(|| E::unknown_variant(text, &VARIANTS))
    }
}

impl<'de> DeserializeSeed<'de> for Number {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<String, D::Error> {
        fn read<'de, T: serde::Deserialize<'de> + std::fmt::Debug, D: Deserializer<'de>>(
            de: D,
        ) -> Result<String, D::Error> {
            T::deserialize(de).map(|value| format!("{value:?}"))
        }
        match self {
            Self::I8 => read::<i8, D>(de),
            Self::I64 => read::<i64, D>(de),
            Self::I128 => read::<i128, D>(de),
            Self::U8 => read::<u8, D>(de),
            Self::U64 => read::<u64, D>(de),
            Self::U128 => read::<u128, D>(de),
            Self::F32 => read::<f32, D>(de),
            Self::F64 => read::<f64, D>(de),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<String, D::Error> {
        match self {
            Self::Text => (&Type::Text).deserialize(de),
            Self::Bool => (&Type::Bool).deserialize(de),
            Self::Number(number) => number.deserialize(de),
            Self::New => (&Type::New(Box::new(Type::Number(Number::I64)))).deserialize(de),
            Self::Enum => (&Type::Enum(Box::new(Type::Unit))).deserialize(de),
        }
    }
}
