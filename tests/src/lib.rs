//! The servers for external clients, and code shared by the tests.
//!
//! They use only the public API, so they are also its largest examples.

pub mod attack;
pub mod baseline;
pub mod bench;
pub mod broker;
pub mod client;
pub mod conformance;
pub mod echo;
pub mod load;
pub mod serve;
pub mod tls;
