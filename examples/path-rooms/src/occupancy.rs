//! The rooms of each user, with the number of connections in each.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// A user with two tabs in a room is in it until both have left.
#[derive(Debug, Default)]
pub(crate) struct Occupancy(Mutex<HashMap<String, HashMap<String, usize>>>);

impl Occupancy {
    /// Adds a connection of the user to the room. Returns whether it is the first.
    pub(crate) fn enter(&self, user_id: &str, room_id: &str) -> bool {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = users.entry(user_id.to_owned()).or_default().entry(room_id.to_owned()).or_default();
        *count += 1;
        *count == 1
    }

    /// Removes a connection. Returns whether it was the last.
    pub(crate) fn leave(&self, user_id: &str, room_id: &str) -> bool {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rooms) = users.get_mut(user_id) else { return false };
        let Some(count) = rooms.get_mut(room_id) else { return false };
        *count -= 1;
        if *count > 0 {
            return false;
        }
        rooms.remove(room_id);
        if rooms.is_empty() {
            users.remove(user_id);
        }
        true
    }
}
