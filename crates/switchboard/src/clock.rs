//! The wall clock, read at most once per turn of a connection.

use std::{
    cell::Cell,
    time::{SystemTime, UNIX_EPOCH},
};

thread_local! {
    /// `Some(0)` within a turn before the first read.
    static TURN: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Milliseconds since 1970. Within a turn always the same.
pub(crate) fn now_ms() -> u64 {
    match TURN.get() {
        Some(0) => {
            let now = read();
            TURN.set(Some(now));
            now
        }
        Some(now) => now,
        None => read(),
    }
}

fn read() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// One turn of a connection's task on this thread.
#[must_use]
pub(crate) struct Turn(());

impl Turn {
    pub(crate) fn begin() -> Self {
        TURN.set(Some(0));
        Self(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURN.set(None);
    }
}
