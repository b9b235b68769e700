//! An enum: the name of a variant, and its content.

use serde::de::{DeserializeSeed, EnumAccess, VariantAccess, Visitor};

use super::{fault::Fault, fields::unescape, findings::Declared, key::Key, node::Node};

pub(super) struct Variant<'de, 'n> {
    /// The name as it is written.
    pub(super) quoted: &'de str,
    pub(super) content: Content<'de, 'n>,
}

impl<'de, 'n> EnumAccess<'de> for Variant<'de, 'n> {
    type Error = Fault;
    type Variant = Content<'de, 'n>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Content<'de, 'n>), Fault> {
        let text = unescape(self.quoted).ok_or_else(Fault::unspecific)?;
        Ok((seed.deserialize(Key { quoted: self.quoted, text: &text })?, self.content))
    }
}

pub(super) struct Content<'de, 'n>(Option<Node<'de, 'n>>);

impl<'de, 'n> Content<'de, 'n> {
    /// For a variant without content.
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn of(node: Node<'de, 'n>) -> Self {
        Self(Some(node))
    }

    fn required(self) -> Result<Node<'de, 'n>, Fault> {
        self.0.ok_or_else(Fault::unspecific)
    }
}

impl<'de> VariantAccess<'de> for Content<'de, '_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.0 {
            None => Ok(()),
            Some(node) => serde::Deserialize::deserialize(node),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        let Node { lexer, path, context } = self.required()?;
        let start = *lexer;
        seed.deserialize(Node { lexer, path, context }).map_err(|fault| fault.blame(start, path, context))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.required()?.seq(Some(len), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.required()?.map(Some(Declared { name: None, fields }), visitor)
    }
}
