//! The adapter on real servers, which `broker-servers` starts.

mod conformance;
mod faults;
mod listener;
mod logins;
