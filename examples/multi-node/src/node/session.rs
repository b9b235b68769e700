//! The data of a connection.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{messages::Member, rooms::RoomName};

/// Who a connection belongs to and which room it is in. Its own handlers change it, one at a time.
#[derive(Debug, Default)]
pub(crate) struct Session(Mutex<Option<Visit>>);

/// A member in a room.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) member: Member,
    pub(crate) room: RoomName,
}

impl Session {
    pub(crate) fn visit(&self) -> Option<Visit> {
        self.lock().clone()
    }

    pub(crate) fn enter(&self, visit: Visit) {
        *self.lock() = Some(visit);
    }

    pub(crate) fn leave(&self) -> Option<Visit> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Visit>> {
        // A visit is replaced as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
