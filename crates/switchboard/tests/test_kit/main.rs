//! The test kit: what it drives is the real thing, and what it says when a test fails.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod app;
mod calls;
mod captured;
mod connecting;
mod failures;
mod receiving;
mod time;
