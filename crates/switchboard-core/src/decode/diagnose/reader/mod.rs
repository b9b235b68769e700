//! A deserializer over JSON text that knows where it is.

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
