//! The servers that outside clients test, and what the tests share.
//!
//! Built on the public API only, so they are also its widest example.

pub mod attack;
pub mod baseline;
pub mod bench;
pub mod client;
pub mod conformance;
pub mod echo;
pub mod load;
pub mod serve;
pub mod tls;
