//! Section 7: order, backpressure and topics.

mod calls;
mod concurrency;
mod idempotency;
mod ordering;
pub(crate) mod pressure;
mod publishing;
