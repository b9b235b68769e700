//! What the macros must compile: hostile names in scope, every attribute of serde, odd names of
//! fields. The package of the older edition has the same code.

#![deny(warnings)]
#![allow(missing_docs, missing_debug_implementations, reason = "only compiled and asked for its wire format")]

pub mod conditional;
pub mod deprecated;
pub mod foreign;
pub mod generic;
pub mod hostile;
pub mod macro_rules;
pub mod names;
pub mod numbers;
pub mod serde_attributes;
pub mod serde_conversions;
