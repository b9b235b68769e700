//! Snapshots of other nodes' users that this node asks for.

use std::{collections::VecDeque, time::Duration};

use rustc_hash::FxHashMap;
use switchboard_core::broker::NodeId;

use crate::{
    ClusterConfig,
    bus::{Origin, SnapshotPage, UserCount, UsersDelta},
    hash::Random,
};

/// How many deltas are kept that arrive while a snapshot is on its way.
const MAX_KEPT_DELTAS: usize = 64;

/// Requests for snapshots: one for each node at a time, a few in all, each after a random delay, so that nodes that have
/// missed the same do not ask at once.
#[derive(Debug)]
pub(crate) struct Snapshots {
    next_request: u64,
    wanted: VecDeque<(Duration, Origin)>,
    asked: FxHashMap<NodeId, Asked>,
    max_asked: usize,
    max_users: usize,
    jitter: Duration,
    timeout: Duration,
}

#[derive(Debug)]
struct Asked {
    origin: Origin,
    request: u64,
    deadline: Duration,
    version: u64,
    next_page: u64,
    users: Vec<UserCount>,
    /// Deltas that came meanwhile, to be applied after the snapshot.
    deltas: Vec<UsersDelta>,
}

/// What a page completes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Page {
    More,
    Complete { version: u64, users: Vec<UserCount>, deltas: Vec<UsersDelta> },
}

impl Snapshots {
    pub(crate) fn new(config: &ClusterConfig) -> Self {
        Self {
            next_request: 0,
            wanted: VecDeque::new(),
            asked: FxHashMap::default(),
            max_asked: config.max_snapshot_requests,
            max_users: config.max_remote_users,
            jitter: config.snapshot_jitter,
            timeout: config.snapshot_timeout,
        }
    }

    /// Asks for a snapshot soon, unless one is asked for already.
    pub(crate) fn want(&mut self, origin: Origin, random: &mut Random, now: Duration) {
        if self.asked.get(&origin.node).is_some_and(|asked| asked.origin == origin) {
            return;
        }
        if let Some((_, wanted)) = self.wanted.iter_mut().find(|(_, wanted)| wanted.node == origin.node) {
            *wanted = origin;
            return;
        }
        let jitter = random.below(self.jitter.as_micros().try_into().unwrap_or(u64::MAX));
        self.wanted.push_back((now.saturating_add(Duration::from_micros(jitter)), origin));
    }

    /// Returns the next request that is due, and the node that it goes to.
    pub(crate) fn next_request(&mut self, now: Duration) -> Option<(NodeId, u64)> {
        // What was not answered is asked for again when the next heartbeat shows that it is still missing.
        self.asked.retain(|_, asked| asked.deadline > now);
        if self.asked.len() >= self.max_asked {
            return None;
        }
        let due = self.wanted.iter().position(|(at, _)| *at <= now)?;
        let (_, origin) = self.wanted.remove(due)?;
        self.next_request += 1;
        let asked = Asked {
            origin,
            request: self.next_request,
            deadline: now.saturating_add(self.timeout),
            version: 0,
            next_page: 0,
            users: Vec::new(),
            deltas: Vec::new(),
        };
        self.asked.insert(origin.node, asked);
        Some((origin.node, self.next_request))
    }

    /// Keeps a delta that cannot be applied before the snapshot.
    pub(crate) fn keep(&mut self, origin: Origin, delta: UsersDelta) {
        if let Some(asked) = self.asked.get_mut(&origin.node).filter(|asked| asked.origin == origin)
            && asked.deltas.len() < MAX_KEPT_DELTAS
        {
            asked.deltas.push(delta);
        }
    }

    pub(crate) fn page(&mut self, origin: Origin, page: SnapshotPage, now: Duration) -> Page {
        let Some(asked) = self.asked.get_mut(&origin.node) else { return Page::More };
        if asked.origin != origin || asked.request != page.request {
            return Page::More;
        }
        let is_next = page.page == asked.next_page && (page.page == 0 || page.version == asked.version);
        if !is_next || asked.users.len() + page.users.len() > self.max_users {
            // A page was lost: the next heartbeat begins anew.
            self.asked.remove(&origin.node);
            return Page::More;
        }
        asked.version = page.version;
        asked.next_page += 1;
        asked.users.extend(page.users);
        asked.deadline = now.saturating_add(self.timeout);
        if !page.is_last {
            return Page::More;
        }
        match self.asked.remove(&origin.node) {
            Some(Asked { version, users, deltas, .. }) => Page::Complete { version, users, deltas },
            None => Page::More,
        }
    }

    pub(crate) fn forget(&mut self, node: NodeId) {
        self.asked.remove(&node);
        self.wanted.retain(|(_, origin)| origin.node != node);
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        if self.asked.len() >= self.max_asked {
            return self.asked.values().map(|asked| asked.deadline).min();
        }
        self.wanted.iter().map(|(at, _)| *at).min()
    }
}

#[cfg(test)]
mod tests {
    use switchboard_core::broker::{Incarnation, UserKey};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn origin(node: u8) -> Origin {
        Origin { node: NodeId::from_bytes([node; 16]), incarnation: Incarnation::from_u64(1) }
    }

    fn snapshots() -> Snapshots {
        Snapshots::new(&ClusterConfig::new().max_snapshot_requests(1))
    }

    fn page(request: u64, page: u64, is_last: bool) -> SnapshotPage {
        let users = vec![UserCount { key: UserKey::new(page.to_string()).unwrap(), connections: 1 }];
        SnapshotPage { request, version: 5, page, is_last, users }
    }

    #[test]
    fn one_request_for_each_node_and_a_few_in_all() {
        let (mut snapshots, mut random) = (snapshots(), Random::new(1));
        for node in [1, 1, 2] {
            snapshots.want(origin(node), &mut random, Duration::ZERO);
        }
        assert_eq!(snapshots.next_request(200 * MS), Some((origin(1).node, 1)));
        snapshots.want(origin(1), &mut random, 200 * MS);
        assert_eq!(snapshots.next_request(300 * MS), None, "one is on its way");
        assert_eq!(snapshots.page(origin(1), page(1, 0, false), 300 * MS), Page::More);
        let Page::Complete { version, users, .. } = snapshots.page(origin(1), page(1, 1, true), 300 * MS) else {
            panic!()
        };
        assert_eq!((version, users.len()), (5, 2));
        assert_eq!(snapshots.next_request(300 * MS), Some((origin(2).node, 2)));
        assert_eq!(snapshots.next_request(2300 * MS), None, "it was not answered, and nothing else is wanted");
    }

    #[test]
    fn a_lost_page_ends_the_request() {
        let (mut snapshots, mut random) = (snapshots(), Random::new(1));
        snapshots.want(origin(1), &mut random, Duration::ZERO);
        let (_, request) = snapshots.next_request(200 * MS).unwrap();
        assert_eq!(snapshots.page(origin(1), page(request, 1, true), 201 * MS), Page::More);
        assert_eq!(snapshots.page(origin(1), page(request, 0, true), 201 * MS), Page::More, "it has ended");
    }
}
