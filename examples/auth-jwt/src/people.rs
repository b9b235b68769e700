//! Connected and banned users.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use switchboard::ConnId;

use crate::lock;

/// The state of all connected users.
#[derive(Debug, Default)]
pub(crate) struct People(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    banned: HashSet<String>,
    connected: HashMap<String, HashSet<ConnId>>,
}

/// The user may not connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Banned;

impl People {
    pub(crate) fn is_banned(&self, user_id: &str) -> bool {
        lock(&self.0).banned.contains(user_id)
    }

    /// Adds a connection of a user. Takes the same lock as [`ban`](Self::ban), so that no
    /// connection is added during a ban.
    pub(crate) fn enter(&self, user_id: &str, id: ConnId) -> Result<(), Banned> {
        let mut known = lock(&self.0);
        if known.banned.contains(user_id) {
            return Err(Banned);
        }
        known.connected.entry(user_id.to_owned()).or_default().insert(id);
        Ok(())
    }

    /// Removes a connection.
    pub(crate) fn leave(&self, user_id: &str, id: ConnId) {
        let mut known = lock(&self.0);
        if let Some(ids) = known.connected.get_mut(user_id) {
            ids.remove(&id);
            if ids.is_empty() {
                known.connected.remove(user_id);
            }
        }
    }

    /// Bans a user.
    pub(crate) fn ban(&self, user_id: &str) {
        lock(&self.0).banned.insert(user_id.to_owned());
    }

    /// Returns the user's connections.
    pub(crate) fn connections(&self, user_id: &str) -> Vec<ConnId> {
        lock(&self.0).connected.get(user_id).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }
}
