//! The users of the other nodes, as those have told.

use std::time::Duration;

use rustc_hash::FxHashMap;
use switchboard_core::broker::{NodeId, UserKey};

use super::digest;
use crate::{
    bus::{Origin, UserCount, UsersDelta},
    hash::{Seeded, SeededMap},
};

/// The users of all other nodes.
#[derive(Debug)]
pub(crate) struct RemoteUsers {
    nodes: FxHashMap<NodeId, UsersOfNode>,
    total: usize,
    max_users: usize,
    hasher: Seeded,
    /// Users whose connections may have changed, while somebody wants to know.
    touched: Option<Vec<UserKey>>,
}

#[derive(Debug)]
struct UsersOfNode {
    origin: Origin,
    version: u64,
    digest: u64,
    users: SeededMap<UserKey, u32>,
    /// When `users` were last known to be all of the node's.
    current_at: Duration,
    /// Whether something is missing since.
    is_stale: bool,
    /// Whether some users did not fit.
    is_cut: bool,
}

/// What became of something that a node has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    Current,
    /// Something is missing: ask for a snapshot.
    Missing,
    /// Of the past.
    Old,
}

impl UsersOfNode {
    fn new(origin: Origin, hasher: Seeded, now: Duration) -> Self {
        let users = SeededMap::with_hasher(hasher);
        Self { origin, version: 0, digest: 0, users, current_at: now, is_stale: false, is_cut: false }
    }

    /// Sets the connections of a user, and returns whether it fits.
    fn set(&mut self, user: UserCount, has_room: bool) {
        let UserCount { key, connections } = user;
        let before = if connections == 0 {
            self.users.remove(&key).unwrap_or(0)
        } else if has_room || self.users.contains_key(&key) {
            self.users.insert(key.clone(), connections).unwrap_or(0)
        } else {
            self.is_cut = true;
            return;
        };
        self.digest ^= digest(&key, before) ^ digest(&key, connections);
    }
}

impl RemoteUsers {
    pub(crate) fn new(max_users: usize, hasher: Seeded) -> Self {
        Self { nodes: FxHashMap::default(), total: 0, max_users, hasher, touched: None }
    }

    fn node(&mut self, origin: Origin, now: Duration) -> &mut UsersOfNode {
        let hasher = self.hasher;
        let node = self.nodes.entry(origin.node).or_insert_with(|| UsersOfNode::new(origin, hasher, now));
        if node.origin != origin {
            self.total -= node.users.len();
            touch(&mut self.touched, node.users.keys());
            *node = UsersOfNode::new(origin, hasher, now);
        }
        node
    }

    fn change(&mut self, origin: Origin, changes: Vec<UserCount>, now: Duration) {
        touch(&mut self.touched, changes.iter().map(|user| &user.key));
        let (mut total, max_users) = (self.total, self.max_users);
        let node = self.node(origin, now);
        for user in changes {
            let before = node.users.len();
            node.set(user, total < max_users);
            total = total + node.users.len() - before;
        }
        self.total = total;
    }

    pub(crate) fn delta(&mut self, origin: Origin, delta: UsersDelta, now: Duration) -> Applied {
        let node = self.node(origin, now);
        if delta.to <= node.version {
            return Applied::Old;
        }
        if delta.from != node.version {
            node.is_stale = true;
            return Applied::Missing;
        }
        node.version = delta.to;
        self.change(origin, delta.changes, now);
        Applied::Current
    }

    /// Compares what is known of a node with its heartbeat.
    pub(crate) fn heartbeat(&mut self, origin: Origin, version: u64, digest: u64, now: Duration) -> Applied {
        let node = self.node(origin, now);
        if version < node.version {
            return Applied::Old;
        }
        // What does not fit cannot be asked for again and again.
        if version == node.version && (digest == node.digest || node.is_cut) {
            (node.current_at, node.is_stale) = (now, false);
            return Applied::Current;
        }
        node.is_stale = true;
        Applied::Missing
    }

    /// Replaces what is known of a node.
    pub(crate) fn snapshot(&mut self, origin: Origin, version: u64, users: Vec<UserCount>, now: Duration) {
        let hasher = self.hasher;
        let node = self.node(origin, now);
        if version < node.version {
            return;
        }
        let old = std::mem::replace(node, UsersOfNode { version, ..UsersOfNode::new(origin, hasher, now) });
        self.total -= old.users.len();
        touch(&mut self.touched, old.users.keys());
        self.change(origin, users, now);
    }

    /// Forgets the users of nodes whose users were not known to be all for too long, because the nodes do not answer: some
    /// may be gone.
    pub(crate) fn forget_stale(&mut self, patience: Duration, now: Duration) {
        for node in self.nodes.values_mut() {
            if node.current_at.saturating_add(patience) <= now && !node.users.is_empty() {
                self.total -= node.users.len();
                touch(&mut self.touched, node.users.keys());
                *node = UsersOfNode { is_stale: true, ..UsersOfNode::new(node.origin, self.hasher, node.current_at) };
            }
        }
    }

    /// Ends a time in which this node did not run: nothing could be heard then.
    pub(crate) fn excuse(&mut self, now: Duration) {
        self.nodes.values_mut().for_each(|node| node.current_at = now);
    }

    pub(crate) fn remove(&mut self, node: NodeId) {
        if let Some(removed) = self.nodes.remove(&node) {
            self.total -= removed.users.len();
            touch(&mut self.touched, removed.users.keys());
        }
    }

    /// Begins to note whose connections may have changed, for [`take_touched`](Self::take_touched).
    pub(crate) fn watch(&mut self) {
        self.touched.get_or_insert_default();
    }

    pub(crate) fn take_touched(&mut self) -> Vec<UserKey> {
        self.touched.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &UserKey> {
        self.nodes.values().flat_map(|node| node.users.keys())
    }

    pub(crate) fn connections(&self, key: &UserKey) -> usize {
        self.nodes.values().filter_map(|node| node.users.get(key)).map(|connections| *connections as usize).sum()
    }

    pub(crate) fn nodes_with(&self, key: &UserKey) -> impl Iterator<Item = NodeId> {
        self.nodes.iter().filter(|(_, node)| node.users.contains_key(key)).map(|(id, _)| *id)
    }

    /// Returns whether all that the nodes have told is known.
    pub(crate) fn is_current(&self) -> bool {
        self.nodes.values().all(|node| !node.is_stale && !node.is_cut)
    }

    /// Returns whether what a node has told up to this version is known.
    pub(crate) fn is_current_with(&self, origin: Origin, version: u64) -> bool {
        let node = self.nodes.get(&origin.node).filter(|node| node.origin == origin);
        node.is_some_and(|node| node.version >= version && !node.is_stale)
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }
}

fn touch<'a>(touched: &mut Option<Vec<UserKey>>, users: impl Iterator<Item = &'a UserKey>) {
    if let Some(touched) = touched {
        touched.extend(users.cloned());
    }
}

#[cfg(test)]
mod tests {
    use switchboard_core::broker::Incarnation;

    use super::*;

    const NOW: Duration = Duration::from_secs(10);

    fn origin(incarnation: u64) -> Origin {
        Origin { node: NodeId::from_bytes([1; 16]), incarnation: Incarnation::from_u64(incarnation) }
    }

    fn user(key: &str, connections: u32) -> UserCount {
        UserCount { key: UserKey::new(key).unwrap(), connections }
    }

    fn delta(from: u64, key: &str, connections: u32) -> UsersDelta {
        UsersDelta { from, to: from + 1, changes: vec![user(key, connections)] }
    }

    #[test]
    fn deltas_are_applied_in_order_and_a_missing_one_is_noticed() {
        let mut users = RemoteUsers::new(10, Seeded::default());
        assert_eq!(users.delta(origin(1), delta(0, "a", 2), NOW), Applied::Current);
        assert_eq!(users.delta(origin(1), delta(0, "a", 2), NOW), Applied::Old);
        assert_eq!(users.delta(origin(1), delta(2, "b", 1), NOW), Applied::Missing);
        assert!(!users.is_current());
        users.snapshot(origin(1), 3, vec![user("b", 1)], NOW);
        assert_eq!(users.heartbeat(origin(1), 3, digest(&user("b", 1).key, 1), NOW), Applied::Current);
        assert_eq!((users.connections(&user("a", 1).key), users.connections(&user("b", 1).key)), (0, 1));
        assert!(users.is_current());
    }

    #[test]
    fn a_wrong_digest_is_noticed() {
        let mut users = RemoteUsers::new(10, Seeded::default());
        users.delta(origin(1), delta(0, "a", 2), NOW);
        assert_eq!(users.heartbeat(origin(1), 1, 0, NOW), Applied::Missing);
        assert_eq!(users.heartbeat(origin(1), 0, 0, NOW), Applied::Old, "a delta has overtaken the heartbeat");
    }

    #[test]
    fn another_incarnation_begins_without_users() {
        let mut users = RemoteUsers::new(10, Seeded::default());
        users.delta(origin(1), delta(0, "a", 2), NOW);
        assert_eq!(users.delta(origin(2), delta(0, "b", 1), NOW), Applied::Current);
        assert_eq!((users.connections(&user("a", 1).key), users.total()), (0, 1));
        users.remove(origin(2).node);
        assert_eq!(users.total(), 0);
    }

    #[test]
    fn users_beyond_the_limit_are_left_out_and_the_answers_say_so() {
        let mut users = RemoteUsers::new(1, Seeded::default());
        users.delta(origin(1), delta(0, "a", 1), NOW);
        users.delta(origin(1), delta(1, "b", 1), NOW);
        assert_eq!((users.total(), users.is_current()), (1, false));
        assert_eq!(users.heartbeat(origin(1), 2, 0, NOW), Applied::Current, "it is not asked for again");
    }

    #[test]
    fn users_of_a_node_that_does_not_answer_are_forgotten() {
        let mut users = RemoteUsers::new(10, Seeded::default());
        let patience = Duration::from_secs(9);
        users.delta(origin(1), delta(0, "a", 1), NOW);
        users.heartbeat(origin(1), 2, 0, NOW + patience / 2);
        users.forget_stale(patience, NOW + patience / 2);
        assert_eq!(users.connections(&user("a", 1).key), 1);
        users.forget_stale(patience, NOW + patience);
        let seen = (users.connections(&user("a", 1).key), users.total(), users.is_current());
        assert_eq!(seen, (0, 0, false), "not later because its heartbeat came late");
        users.snapshot(origin(1), 2, vec![user("a", 1)], NOW);
        assert_eq!((users.connections(&user("a", 1).key), users.is_current()), (1, true));
    }
}
