//! A deserializer over a JSON value that knows its path.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor, value::StringDeserializer,
};
use serde_json::{Map, Value};

use super::{Findings, error::Fault};

/// A value and where it stands.
pub(super) struct Node<'f> {
    value: Value,
    path: String,
    findings: &'f Findings,
}

impl<'f> Node<'f> {
    pub(super) fn root(value: Value, findings: &'f Findings) -> Self {
        Self { value, path: String::new(), findings }
    }

    fn child(&self, key: &str, value: Value) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { value, path, findings: self.findings }
    }

    fn item(&self, index: usize, value: Value) -> Self {
        Self { value, path: format!("{}[{index}]", self.path), findings: self.findings }
    }

    /// Gives the visitor what is there; `wanted` is what the type asked for.
    fn visit<'de, V: Visitor<'de>>(mut self, wanted: &'static str, visitor: V) -> Result<V::Value, Fault> {
        let value = std::mem::take(&mut self.value);
        let result = match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::String(text) => visitor.visit_string(text),
            Value::Number(number) => {
                if let Some(n) = number.as_u64() {
                    visitor.visit_u64(n)
                } else if let Some(n) = number.as_i64() {
                    visitor.visit_i64(n)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Value::Array(items) => visitor.visit_seq(Items { node: &self, items: items.into_iter(), index: 0 }),
            Value::Object(map) => visitor.visit_map(Fields::new(&self, map)),
        };
        result.map_err(|fault| fault.at(&self.path, wanted))
    }
}

macro_rules! wanted {
    ($($text:literal: $($method:ident($($arg:ident: $ty:ty),*)),*;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, Fault> {
            $(_ = $arg;)*
            self.visit($text, visitor)
        }
    )*)*};
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Fault;

    wanted! {
        "": deserialize_any();
        "true or false": deserialize_bool();
        "an integer in range": deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64(),
            deserialize_i128(), deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64(),
            deserialize_u128();
        "a number": deserialize_f32(), deserialize_f64();
        "a character": deserialize_char();
        "a string": deserialize_str(), deserialize_string(), deserialize_bytes(), deserialize_byte_buf(),
            deserialize_identifier();
        "null": deserialize_unit(), deserialize_unit_struct(name: &'static str);
        "an array": deserialize_seq(), deserialize_tuple(len: usize),
            deserialize_tuple_struct(name: &'static str, len: usize);
        "an object": deserialize_map();
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if self.value.is_object() {
            self.visit("an object", visitor)
        } else {
            Err(Fault::unspecific().at(&self.path, "an object"))
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let path = self.path.clone();
        let (name, content) = match self.value {
            Value::String(name) => (name, None),
            Value::Object(map) if map.len() == 1 => match map.into_iter().next() {
                Some((name, value)) => (name, Some(value)),
                None => return Err(Fault::unspecific().at(&path, "")),
            },
            _ => return Err(Fault::unspecific().at(&path, "one of the allowed values")),
        };
        let content = content.map(|value| Node { value, path: format!("{path}.{name}"), findings: self.findings });
        visitor.visit_enum(Variant { name, content }).map_err(|fault| fault.at(&path, ""))
    }

    /// Derived code asks for this at a key that the type does not have.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.findings.unknown(self.path);
        visitor.visit_unit()
    }
}

struct Items<'n, 'f> {
    node: &'n Node<'f>,
    items: std::vec::IntoIter<Value>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(value) = self.items.next() else { return Ok(None) };
        let node = self.node.item(self.index, value);
        self.index += 1;
        let path = node.path.clone();
        seed.deserialize(node).map(Some).map_err(|fault| fault.at(&path, ""))
    }
}

struct Fields<'n, 'f> {
    node: &'n Node<'f>,
    fields: serde_json::map::IntoIter,
    next: Option<(String, Value)>,
}

impl<'n, 'f> Fields<'n, 'f> {
    fn new(node: &'n Node<'f>, map: Map<String, Value>) -> Self {
        Self { node, fields: map.into_iter(), next: None }
    }
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.fields.next() else { return Ok(None) };
        let deserializer: StringDeserializer<Fault> = key.clone().into_deserializer();
        let known = seed.deserialize(deserializer)?;
        self.next = Some((key, value));
        Ok(Some(known))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let (key, value) = self.next.take().ok_or_else(Fault::unspecific)?;
        let node = self.node.child(&key, value);
        // What a type refuses after it has read the value, as `deserialize_with` may, is at its place, too.
        let path = node.path.clone();
        seed.deserialize(node).map_err(|fault| fault.at(&path, ""))
    }
}

struct Variant<'f> {
    name: String,
    content: Option<Node<'f>>,
}

impl<'de, 'f> EnumAccess<'de> for Variant<'f> {
    type Error = Fault;
    type Variant = Content<'f>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Content<'f>), Fault> {
        let deserializer: StringDeserializer<Fault> = self.name.into_deserializer();
        Ok((seed.deserialize(deserializer)?, Content(self.content)))
    }
}

struct Content<'f>(Option<Node<'f>>);

impl Content<'_> {
    fn required(self) -> Result<Self, Fault> {
        if self.0.is_some() { Ok(self) } else { Err(Fault::invalid_type(Unexpected::UnitVariant, &"content")) }
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.0 {
            None => Ok(()),
            Some(node) if node.value.is_null() => Ok(()),
            Some(node) => Err(Fault::unspecific().at(&node.path, "null")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        match self.required()?.0 {
            Some(node) => seed.deserialize(node),
            None => Err(Fault::unspecific()),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        match self.required()?.0 {
            Some(node) => node.visit("an array", visitor),
            None => Err(Fault::unspecific()),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        match self.required()?.0 {
            Some(node) => node.visit("an object", visitor),
            None => Err(Fault::unspecific()),
        }
    }
}
