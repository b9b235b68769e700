//! Users and rooms, in this process's memory. Everything is bounded, and no lock is held over an
//! `.await`.

mod room;
mod users;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use switchboard::WsError;
use uuid::Uuid;

use self::users::Users;
pub(crate) use self::{
    room::{Room, Turn},
    users::{SignedIn, User},
};
use crate::messages::RoomSummary;

/// How many users are remembered by their tokens. Online users always are.
const MAX_USERS: usize = 10_000;

/// How many rooms there may be.
const MAX_ROOMS: usize = 100;

/// The state of the chat.
#[derive(Debug)]
pub(crate) struct Store {
    users: Mutex<Users>,
    /// In the order of creation. Rooms are never removed.
    rooms: Mutex<Vec<Arc<Room>>>,
}

impl Store {
    pub(crate) fn new() -> Self {
        let rooms = [("general", "General Chat"), ("random", "Random Stuff")];
        Self {
            users: Mutex::new(Users::new(MAX_USERS)),
            rooms: Mutex::new(rooms.into_iter().map(|(id, name)| Arc::new(Room::new(id, name))).collect()),
        }
    }

    pub(crate) fn room(&self, id: &str) -> Option<Arc<Room>> {
        lock(&self.rooms).iter().find(|room| room.id() == id).cloned()
    }

    pub(crate) fn rooms(&self) -> Vec<Arc<Room>> {
        lock(&self.rooms).clone()
    }

    pub(crate) fn create_room(&self, name: &str) -> Result<Arc<Room>, WsError> {
        let mut rooms = lock(&self.rooms);
        let folded = name.to_lowercase();
        if rooms.iter().any(|room| room.name().to_lowercase() == folded) {
            return Err(WsError::already_exists("There is a room of that name"));
        }
        if rooms.len() >= MAX_ROOMS {
            return Err(WsError::resource_exhausted("There are too many rooms"));
        }
        let room = Arc::new(Room::new(&Uuid::now_v7().to_string(), name));
        rooms.push(Arc::clone(&room));
        Ok(room)
    }

    /// Returns the rooms that a user is in, with any connection.
    pub(crate) fn rooms_of(&self, user: &User) -> Vec<Arc<Room>> {
        lock(&self.rooms).iter().filter(|room| room.has(user)).cloned().collect()
    }

    pub(crate) fn room_list(&self) -> Vec<RoomSummary> {
        let summary =
            |room: &Arc<Room>| RoomSummary { id: room.id().into(), name: room.name().into(), user_count: room.count() };
        lock(&self.rooms).iter().map(summary).collect()
    }

    /// Adds a connection of the user with that token, who is created if the token is unknown.
    pub(crate) fn sign_in(&self, token: &str, username: Option<String>, guest_name: &str) -> SignedIn {
        lock(&self.users).sign_in(token, username, guest_name)
    }

    /// Removes a connection.
    pub(crate) fn sign_out(&self, user: &User) {
        lock(&self.users).sign_out(user);
    }

    pub(crate) fn users_online(&self) -> usize {
        lock(&self.users).online()
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Locks a mutex. No panic can leave its content half changed, so poisoning does not matter.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
