//! What kinds of values messages have.

mod decoding;
mod raw_values;
mod shapes;
mod types;
