//! When a connection was opened, and when its client last sent a message.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use switchboard_core::MessageSet;

use crate::{
    clock,
    conn::{Conn, ConnInner},
};

impl<D: ?Sized> ConnInner<D> {
    /// Notes a message of the client. The turn's cached time is precise enough.
    pub(crate) fn touch(&self) {
        self.active_at.store(clock::now_ms(), Relaxed);
    }

    /// Returns the time in the connection's id.
    pub(crate) fn connected_at(&self) -> SystemTime {
        at(self.id.created_at_ms())
    }

    pub(crate) fn last_activity(&self) -> SystemTime {
        // The clock may have been set back meanwhile.
        at(self.active_at.load(Relaxed).max(self.id.created_at_ms()))
    }
}

fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH)
}

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    /// Returns the time when the connection was opened, in whole milliseconds.
    #[must_use]
    pub fn connected_at(&self) -> SystemTime {
        self.inner.connected_at()
    }

    /// Returns the time of the client's last message, in whole milliseconds; before the first
    /// message, the time when it connected. Pings and pongs do not count.
    ///
    /// A handler that has not waited yet sees the time of the message that it handles.
    #[must_use]
    pub fn last_activity(&self) -> SystemTime {
        self.inner.last_activity()
    }
}
