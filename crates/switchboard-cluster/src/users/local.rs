//! The users of this node.

use std::{sync::Arc, time::Duration};

use switchboard_core::broker::UserKey;

use super::digest;
use crate::{
    ClusterConfig, ClusterError,
    bus::{UserCount, UsersDelta},
    hash::{Seeded, SeededMap, SeededSet},
};

/// The users of this node, and their changes that were not sent yet.
#[derive(Debug)]
pub(crate) struct LocalUsers {
    users: SeededMap<UserKey, u32>,
    /// The state that the others were told, for the digest.
    announced: SeededMap<UserKey, u32>,
    version: u64,
    digest: u64,
    changed: SeededSet<UserKey>,
    send_at: Option<Duration>,
    /// The announced state in one piece, while its version is current: snapshots share it.
    frozen: Option<(u64, Arc<[UserCount]>)>,
    interval: Duration,
    max_users: usize,
    max_per_message: usize,
}

impl LocalUsers {
    pub(crate) fn new(config: &ClusterConfig, hasher: Seeded) -> Self {
        Self {
            users: SeededMap::with_hasher(hasher),
            announced: SeededMap::with_hasher(hasher),
            version: 0,
            digest: 0,
            changed: SeededSet::with_hasher(hasher),
            send_at: None,
            frozen: None,
            interval: config.users_interval,
            max_users: config.max_local_users,
            max_per_message: config.max_users_per_message.max(1),
        }
    }

    /// Adds a connection of a user, and returns whether it is the first.
    pub(crate) fn connected(&mut self, key: &UserKey, now: Duration) -> Result<bool, ClusterError> {
        if self.users.len() >= self.max_users && !self.users.contains_key(key) {
            return Err(ClusterError::TooManyUsers { limit: self.max_users });
        }
        let connections = self.users.entry(key.clone()).or_default();
        *connections = connections.saturating_add(1);
        let is_first = *connections == 1;
        self.mark(key, now);
        Ok(is_first)
    }

    /// Removes a connection of a user, and returns whether it was the last.
    pub(crate) fn disconnected(&mut self, key: &UserKey, now: Duration) -> bool {
        let Some(connections) = self.users.get_mut(key) else { return false };
        *connections -= 1;
        let is_last = *connections == 0;
        if is_last {
            self.users.remove(key);
        }
        self.mark(key, now);
        is_last
    }

    fn mark(&mut self, key: &UserKey, now: Duration) {
        if !self.changed.contains(key) {
            self.changed.insert(key.clone());
        }
        self.send_at.get_or_insert(now.saturating_add(self.interval));
    }

    pub(crate) fn connections(&self, key: &UserKey) -> u32 {
        self.users.get(key).copied().unwrap_or(0)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &UserKey> {
        self.users.keys()
    }

    /// Returns the changes to send, when it is time.
    pub(crate) fn tick(&mut self, now: Duration) -> Vec<UsersDelta> {
        if self.send_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.send_at = None;
        let mut changes = Vec::with_capacity(self.changed.len());
        for key in self.changed.drain().collect::<Vec<_>>() {
            let connections = self.users.get(&key).copied().unwrap_or(0);
            let before = if connections == 0 {
                self.announced.remove(&key).unwrap_or(0)
            } else {
                self.announced.insert(key.clone(), connections).unwrap_or(0)
            };
            if before != connections {
                self.digest ^= digest(&key, before) ^ digest(&key, connections);
                changes.push(UserCount { key, connections });
            }
        }
        let chunks = changes.chunks(self.max_per_message);
        let deltas: Vec<_> = chunks
            .map(|changes| {
                self.version += 1;
                UsersDelta { from: self.version - 1, to: self.version, changes: changes.to_vec() }
            })
            .collect();
        if !deltas.is_empty() {
            self.frozen = None;
        }
        deltas
    }

    /// Returns the version and digest of what the others were told.
    pub(crate) fn announced(&self) -> (u64, u64) {
        (self.version, self.digest)
    }

    pub(crate) fn snapshot(&mut self) -> (u64, Arc<[UserCount]>) {
        if self.frozen.is_none() {
            let users = self
                .announced
                .iter()
                .map(|(key, connections)| UserCount { key: key.clone(), connections: *connections });
            self.frozen = Some((self.version, users.collect()));
        }
        self.frozen.clone().unwrap_or_default()
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.send_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn key(text: &str) -> UserKey {
        UserKey::new(text).unwrap()
    }

    fn users() -> LocalUsers {
        LocalUsers::new(&ClusterConfig::new().max_local_users(3).max_users_per_message(2), Seeded::default())
    }

    #[test]
    fn changes_are_collected_and_sent_in_portions_with_consecutive_versions() {
        let mut users = users();
        for name in ["a", "b", "c", "c"] {
            users.connected(&key(name), MS).unwrap();
        }
        assert_eq!(users.connected(&key("d"), MS), Err(ClusterError::TooManyUsers { limit: 3 }));
        assert!(users.tick(100 * MS).is_empty(), "it is too early");
        let deltas = users.tick(101 * MS);
        assert_eq!(deltas.iter().map(|delta| (delta.from, delta.to)).collect::<Vec<_>>(), [(0, 1), (1, 2)]);
        assert_eq!(deltas.iter().map(|delta| delta.changes.len()).sum::<usize>(), 3);
        assert!(users.tick(999 * MS).is_empty());
    }

    #[test]
    fn a_change_that_was_undone_is_not_sent() {
        let mut users = users();
        assert_eq!(users.connected(&key("a"), MS), Ok(true));
        assert!(users.disconnected(&key("a"), MS));
        assert!(!users.disconnected(&key("a"), MS));
        assert!(users.tick(999 * MS).is_empty());
        assert_eq!(users.announced(), (0, 0));
    }

    #[test]
    fn the_digest_depends_on_users_and_connections_only() {
        let mut users = users();
        users.connected(&key("a"), MS).unwrap();
        users.connected(&key("b"), MS).unwrap();
        users.tick(999 * MS);
        let (version, digest) = users.announced();
        users.connected(&key("b"), MS).unwrap();
        users.tick(999 * MS);
        assert_ne!(users.announced().1, digest);
        users.disconnected(&key("b"), MS);
        users.tick(999 * MS);
        assert_eq!(users.announced(), (version + 2, digest));
        assert_eq!(users.snapshot().1.len(), 2);
    }
}
