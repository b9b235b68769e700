//! The timestamp of messages. It is read once per turn of a connection's task: all messages of a
//! turn carry the same one.

use std::{
    cell::Cell,
    time::{SystemTime, UNIX_EPOCH},
};

/// The timestamp of the turn that this thread is in.
#[derive(Clone, Copy)]
enum Turn {
    None,
    /// In a turn; the clock has not been read yet.
    Unread,
    At(u64),
}

thread_local! {
    static TURN: Cell<Turn> = const { Cell::new(Turn::None) };
}

/// Keeps this thread's timestamp the same from its next read until [`resume`].
pub(crate) fn stop() {
    TURN.set(Turn::Unread);
}

/// Undoes [`stop`].
pub(crate) fn resume() {
    TURN.set(Turn::None);
}

/// Returns the time in milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    match TURN.get() {
        Turn::At(now) => now,
        Turn::None => read(),
        Turn::Unread => {
            let now = read();
            TURN.set(Turn::At(now));
            now
        }
    }
}

fn read() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}
