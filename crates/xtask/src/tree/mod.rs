//! Checks of the tree: documents agree with it, and it follows its own rules.

mod architecture;
mod dependencies;
mod files;
mod layers;
pub(crate) mod manifest;
mod platforms;
mod sizes;
mod targets;
