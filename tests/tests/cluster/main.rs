//! Several nodes of one application, joined by a broker: in memory, and by real ones.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod addressed;
mod brokers;
mod calls;
mod conflation;
mod failures;
mod messages;
mod node;
mod processes;
mod rate_limits;
mod unconfirmed;
mod user_events;
mod users;
