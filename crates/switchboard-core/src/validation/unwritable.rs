//! Broken rules for which `validator` cannot make its error.
//!
//! It puts the value and the bounds into a `serde_json::Value`, and panics where that cannot hold them:
//! numbers beyond 64 bits, maps with keys that are no text, types that do not serialise. The rule is
//! broken all the same. Other panics are the application's own and go on.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use validator::ValidationError;

/// What a check returns, or `None` where it could not make its error.
pub(super) fn run<R>(check: impl FnOnce() -> R) -> Option<R> {
    // Checks have no state of their own that a panic could leave half changed.
    match catch_unwind(AssertUnwindSafe(check)) {
        Ok(result) => Some(result),
        Err(panic) if panic.downcast_ref::<String>().is_some_and(|text| is_unwritable(text)) => None,
        Err(panic) => resume_unwind(panic),
    }
}

/// Calls a function of the application that checks a value.
///
/// # Errors
///
/// What it returns; `custom` where that could not be made.
#[doc(hidden)]
pub fn custom<T>(check: impl FnOnce() -> Result<T, ValidationError>) -> Result<(), ValidationError> {
    match run(check) {
        Some(result) => result.map(drop),
        None => Err(ValidationError::new("custom")),
    }
}

/// Whether it is the panic of `ValidationError::add_param`: errors of writing have no line.
fn is_unwritable(text: &str) -> bool {
    text.starts_with("called `Result::unwrap()` on an `Err` value: Error(") && text.ends_with(", line: 0, column: 0)")
}
