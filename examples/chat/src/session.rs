//! The data of a connection.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::store::{Room, User, lock};

/// The data of a connection: its user and its room.
///
/// Only the connection's own handlers change it, one at a time.
#[derive(Debug)]
pub(crate) struct Session {
    guest_name: String,
    place: Mutex<Place>,
}

#[derive(Debug, Default)]
struct Place {
    user: Option<Arc<User>>,
    room: Option<Arc<Room>>,
}

impl Session {
    /// A connection that has not authenticated.
    pub(crate) fn guest() -> Self {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        let number = LAST.fetch_add(1, Relaxed) + 1;
        Self { guest_name: format!("Guest-{number}"), place: Mutex::default() }
    }

    /// Returns the name of a user who has not set one.
    pub(crate) fn guest_name(&self) -> &str {
        &self.guest_name
    }

    pub(crate) fn user(&self) -> Option<Arc<User>> {
        lock(&self.place).user.clone()
    }

    pub(crate) fn set_user(&self, user: Arc<User>) {
        lock(&self.place).user = Some(user);
    }

    pub(crate) fn take_user(&self) -> Option<Arc<User>> {
        lock(&self.place).user.take()
    }

    pub(crate) fn room(&self) -> Option<Arc<Room>> {
        lock(&self.place).room.clone()
    }

    pub(crate) fn set_room(&self, room: Arc<Room>) {
        lock(&self.place).room = Some(room);
    }

    pub(crate) fn leave_room(&self) {
        lock(&self.place).room = None;
    }

    /// Returns the user and the room, if it is the one with that id.
    pub(crate) fn member_of(&self, room_id: &str) -> Option<(Arc<User>, Arc<Room>)> {
        let place = lock(&self.place);
        let room = place.room.clone().filter(|room| room.id() == room_id)?;
        Some((place.user.clone()?, room))
    }
}
