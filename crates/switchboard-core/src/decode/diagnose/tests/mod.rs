//! The issues of refused payloads.

#[cfg(feature = "validator")]
mod cost;
mod issues;
mod kinds;
mod large;
mod same_as_serde_json;
mod together;
