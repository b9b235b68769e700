//! The checker itself: its judge on histories written by hand, its proxy, and runs with planted faults.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod judge;
mod planted;
mod proxy;
