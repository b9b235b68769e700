//! What must compile without a warning, and what the generated code then does.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub, reason = "unless a module denies it itself")]

// For `renamed_crate`.
extern crate switchboard as renamed;

// Public, as in a library, where an unused item that is public is none that the compiler warns of.
pub mod conditional_handlers;
pub mod deprecated;
pub mod handlers;
pub mod nested;
pub mod options;
pub mod own_derives;
pub mod renamed_crate;
pub mod rules_of_the_plain_form;
