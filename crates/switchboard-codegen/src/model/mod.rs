//! What the schemas of a contract say about values, as far as it matters to a type.

mod group;
mod integer;
mod names;
mod read;
mod source;

use std::collections::BTreeSet;

pub(crate) use self::{
    group::Group,
    names::{camel, pascal},
    read::Reader,
    source::{Direction, Source, referred, value},
};

/// The shape of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    Unknown,
    Never,
    Null,
    Boolean,
    Number,
    String,
    /// A literal, as JSON.
    Literal(String),
    Array(Box<Self>),
    Tuple(Vec<Self>),
    Object(Object),
    AnyOf(Vec<Self>),
    AllOf(Vec<Self>),
    /// A definition of the same side, by its name there.
    Named(String),
}

/// An object with known properties, with others of one shape, or both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Object {
    pub(crate) properties: Vec<Property>,
    pub(crate) others: Option<Box<Shape>>,
}

/// One property.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) optional: bool,
    pub(crate) doc: Doc,
}

/// What a reader of the type should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Doc {
    pub(crate) text: Option<String>,
    pub(crate) deprecated: bool,
    /// `format` of a string, such as `uuid`.
    pub(crate) format: Option<String>,
    /// The value that counts where the property is absent, as JSON.
    pub(crate) default: Option<String>,
}

impl Doc {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Shape {
    /// One of several, without doubles and unions in unions.
    pub(crate) fn any_of(shapes: impl IntoIterator<Item = Self>) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        for shape in shapes {
            match shape {
                Self::Never => {}
                Self::AnyOf(inner) => inner.into_iter().for_each(|shape| push_new(&mut flat, shape)),
                shape => push_new(&mut flat, shape),
            }
        }
        if flat.contains(&Self::Unknown) {
            return Self::Unknown;
        }
        // `null` last, as it is read.
        if let Some(at) = flat.iter().position(|shape| *shape == Self::Null) {
            let null = flat.remove(at);
            flat.push(null);
        }
        match flat.len() {
            0 => Self::Never,
            1 => flat.remove(0),
            _ => Self::AnyOf(flat),
        }
    }

    /// All of several at once.
    pub(crate) fn all_of(shapes: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for shape in shapes {
            match shape {
                Self::Unknown => {}
                Self::AllOf(inner) => inner.into_iter().for_each(|shape| push_new(&mut flat, shape)),
                shape => push_new(&mut flat, shape),
            }
        }
        match flat.len() {
            0 => Self::Unknown,
            1 => flat.remove(0),
            _ => Self::AllOf(flat),
        }
    }

    /// Adds the names of all definitions in it.
    pub(crate) fn collect_names<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Named(name) => _ = names.insert(name),
            Self::Array(item) => item.collect_names(names),
            Self::Tuple(all) | Self::AnyOf(all) | Self::AllOf(all) => {
                all.iter().for_each(|shape| shape.collect_names(names));
            }
            Self::Object(Object { properties, others }) => {
                properties.iter().for_each(|property| property.shape.collect_names(names));
                others.iter().for_each(|shape| shape.collect_names(names));
            }
            _ => {}
        }
    }
}

fn push_new(shapes: &mut Vec<Shape>, shape: Shape) {
    if !shapes.contains(&shape) {
        shapes.push(shape);
    }
}
