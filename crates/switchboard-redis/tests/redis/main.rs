//! The adapter on real servers, which `broker-servers` starts.

mod cluster;
mod conformance;
mod faults;
mod listener;
mod logins;
mod sentinel;
