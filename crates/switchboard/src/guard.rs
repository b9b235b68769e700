//! Catches panics of application code outside of handlers and hooks: in destructors and in the
//! `Display` of errors.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::log_limit::LogLimit;

/// Shared by all hubs, since the hub is not known here.
static LOG_LIMIT: LogLimit = LogLimit::new();

/// How many bytes are logged of a text that a client may have influenced.
const MAX_TEXT: usize = 1024;

/// Truncates a text for a log field. Client text must be a field and never the message, since
/// formatters quote and escape only fields.
pub(crate) fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Calls application code. Returns `None` and logs if it panics.
#[inline]
pub(crate) fn quietly<T>(what: &'static str, call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| log_panic(what, panic)).ok()
}

/// Drops a value whose destructor may panic, such as a handler's future.
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

/// Returns a panic's message and drops its payload, which may panic as well.
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

/// Leaks the payload of a panic in a payload's destructor: dropping it could panic without end.
#[expect(clippy::mem_forget, reason = "dropping it could panic again")]
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
    fn panic_payloads_that_panic_when_dropped_are_contained() {
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
