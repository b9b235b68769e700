//! Section 2: what becomes of messages that fail.

mod bad_messages;
mod panics;
mod races;
mod situations;
