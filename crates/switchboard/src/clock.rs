//! The time that messages carry. Within one turn of a connection's task it is always the same, so
//! that it is read once.

use std::{
    cell::Cell,
    time::{SystemTime, UNIX_EPOCH},
};

/// The time of the thread's turn.
#[derive(Clone, Copy)]
enum Turn {
    None,
    /// The clock was not read yet.
    StartedAt,
    At(u64),
}

thread_local! {
    static TURN: Cell<Turn> = const { Cell::new(Turn::None) };
}

/// From now on the time of this thread stands still.
pub(crate) fn stop() {
    TURN.set(Turn::StartedAt);
}

/// It goes on.
pub(crate) fn resume() {
    TURN.set(Turn::None);
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    match TURN.get() {
        Turn::At(now) => now,
        Turn::None => read(),
        Turn::StartedAt => {
            let now = read();
            TURN.set(Turn::At(now));
            now
        }
    }
}

fn read() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}
