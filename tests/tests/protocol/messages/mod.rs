//! Section 1: envelopes, frames and requests.

mod envelopes;
mod frames;
pub(crate) mod requests;
mod types;
