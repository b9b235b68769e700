//! What is said of payloads that are refused.

#[cfg(feature = "validator")]
mod cost;
mod issues;
mod kinds;
mod large;
mod same_as_serde_json;
mod together;
