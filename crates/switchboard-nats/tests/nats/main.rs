//! The adapter on real servers, which `broker-servers` starts.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod conformance;
mod faults;
#[cfg(feature = "nkeys")]
mod keys;
mod logins;
mod measurements;
mod setup;
mod tls;
mod wildcards;
