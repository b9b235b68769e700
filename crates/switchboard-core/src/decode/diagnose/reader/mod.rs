//! A deserializer over JSON text that tracks its position.

mod fields;
mod items;
mod key;
mod node;
mod scalar;
mod variant;

use super::{fault, findings, path, placeholder, probe, repair};

pub(super) use self::{
    fields::unescape,
    node::{Context, Node},
};
