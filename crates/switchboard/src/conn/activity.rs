//! Since when a connection is there, and when its client last said something.

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
    /// The client has said something. The turn's time will do, which its replies need anyway.
    pub(crate) fn touch(&self) {
        self.active_at.store(clock::now_ms(), Relaxed);
    }

    /// It stands in the id.
    pub(crate) fn connected_at(&self) -> SystemTime {
        at(self.id.made_at_ms())
    }

    pub(crate) fn last_activity(&self) -> SystemTime {
        // The clock may have been set back.
        at(self.active_at.load(Relaxed).max(self.id.made_at_ms()))
    }
}

fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH)
}

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    /// Since when the connection is there, in whole milliseconds.
    #[must_use]
    pub fn connected_at(&self) -> SystemTime {
        self.inner.connected_at()
    }

    /// When the client's last message came, in whole milliseconds; before the first, when it
    /// connected. In a handler that is ready at once, when the message came that it handles. Pings
    /// and pongs do not count.
    #[must_use]
    pub fn last_activity(&self) -> SystemTime {
        self.inner.last_activity()
    }
}
