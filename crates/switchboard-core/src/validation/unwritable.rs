//! Broken rules for which `validator` cannot build its error.
//!
//! It puts the value and the bounds into a `serde_json::Value`, and panics if that cannot hold
//! them: numbers beyond 64 bits, maps whose keys are no strings, types that fail to serialise. Such
//! a panic counts as a broken rule. Other panics are the application's own and are propagated.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use validator::ValidationError;

/// Returns the result of a check, or `None` if it could not build its error.
pub(super) fn run<R>(check: impl FnOnce() -> R) -> Option<R> {
    // A check has no state that a panic could leave half changed.
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
/// The error of the function, or `custom` if it could not be built.
#[doc(hidden)]
pub fn custom<T>(check: impl FnOnce() -> Result<T, ValidationError>) -> Result<(), ValidationError> {
    match run(check) {
        Some(result) => result.map(drop),
        None => Err(ValidationError::new("custom")),
    }
}

/// Whether it is the panic of `ValidationError::add_param`: serialisation errors have no line.
fn is_unwritable(text: &str) -> bool {
    text.starts_with("called `Result::unwrap()` on an `Err` value: Error(") && text.ends_with(", line: 0, column: 0)")
}
