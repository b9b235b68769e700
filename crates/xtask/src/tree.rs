//! Checks of the tree: what is written about it is so, and it keeps its own rules.

mod dependencies;
mod layers;
pub(crate) mod manifest;
mod sizes;
mod targets;
