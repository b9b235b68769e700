//! Checks of the tree: what is written about it is so, and it keeps its own rules.

mod dependencies;
mod files;
mod layers;
pub(crate) mod manifest;
mod platforms;
mod sizes;
mod targets;
