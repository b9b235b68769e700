//! The adapter on real servers, which `broker-servers` starts.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod cluster;
mod conformance;
mod faults;
mod logins;
mod measurements;
mod rate_limit;
mod sentinel;
mod setup;
#[cfg(feature = "tls")]
mod tls;
