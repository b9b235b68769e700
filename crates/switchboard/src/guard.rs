//! Protection against panics of the application's code where a handler's or hook's own does not reach:
//! destructors, and what errors say of themselves.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::log_limit::LogLimit;

/// Where it is not known whose hub it was.
static LOG_LIMIT: LogLimit = LogLimit::new();

/// What is logged of one text that clients may have had a part in.
const MAX_TEXT: usize = 1024;

/// The beginning of a text, for a field of the log. A field and never the line itself: formatters
/// quote and escape it there.
pub(crate) fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Calls what is the application's, at least in part. `None` if that panics.
#[inline]
pub(crate) fn quietly<T>(what: &'static str, call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| log_panic(what, panic)).ok()
}

/// What a future holds is the application's: its destructors may panic, too.
#[inline]
pub(crate) fn drop_quietly<T>(value: T) {
    quietly("a destructor", move || drop(value));
}

#[cold]
pub(crate) fn log_panic(what: &'static str, panic: Box<dyn Any + Send>) {
    let text = panic_text(panic);
    if let Some(suppressed) = LOG_LIMIT.may_log() {
        tracing::error!(panic = cut(&text), suppressed, "{what} panicked");
    }
}

/// What a panic says. Its payload is dropped, which may panic as well.
#[cold]
pub(crate) fn panic_text(panic: Box<dyn Any + Send>) -> String {
    let text = if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "of an unknown kind".to_owned()
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(move || drop(panic))) {
        forget(again);
    }
    text
}

/// The payload of a payload's destructor: there is no end to what that could do.
#[expect(clippy::mem_forget, reason = "its destructor has panicked once")]
fn forget(panic: Box<dyn Any + Send>) {
    std::mem::forget(panic);
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 > 0 {
                panic_any(Self(self.0 - 1));
            }
        }
    }

    #[test]
    fn attack_b14_payloads_that_panic_when_dropped() {
        for depth in 0..3 {
            let panic = catch_unwind(|| panic_any(Bomb(depth))).unwrap_err();
            assert_eq!(panic_text(panic), "of an unknown kind");
            drop_quietly(Bomb(depth));
        }
        assert_eq!(quietly("a test", || 1), Some(1));
        assert_eq!(quietly("a test", || panic_any(Bomb(2))), None::<()>);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("x\ny"), "x\ny");
        assert_eq!(cut(&"é".repeat(2000)).len(), MAX_TEXT);
        assert_eq!(cut(&format!("x{}", "é".repeat(2000))).len(), MAX_TEXT - 1);
    }
}
