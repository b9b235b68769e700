//! The test kit: connections, HTTP requests, and the messages of failed expectations.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod app;
mod calls;
mod captured;
mod connecting;
mod failures;
mod http;
#[cfg(feature = "cluster")]
mod nodes;
mod receiving;
mod time;
