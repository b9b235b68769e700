//! Section 8: limits and their defaults.

mod defaults;
mod progress;
