//! The queue of a connection, the members of a topic and the end of a request, with the locks and atomics of a model
//! checker: [loom](https://docs.rs/loom) runs the tests in all orders in which threads can take
//! their steps.
//!
//! The files are those of `crates/switchboard` (links): only what they synchronise with, and what
//! they write to, is another. The rest of `crates/switchboard` is not compiled.

#![allow(clippy::allow_attributes, dead_code, reason = "the tests use a part of what the files have")]

#[cfg(test)]
mod conn;
#[cfg(test)]
mod hub;
#[cfg(test)]
mod request;
#[cfg(test)]
mod sync;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod transport;
