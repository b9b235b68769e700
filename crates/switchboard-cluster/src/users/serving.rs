//! Snapshots of this node's users that other nodes have asked for.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use switchboard_core::broker::NodeId;

use crate::bus::{SnapshotPage, UserCount};

/// Sends snapshots page by page: the next one when the broker has accepted the last.
#[derive(Debug)]
pub(crate) struct Serving {
    next: u64,
    served: FxHashMap<u64, Served>,
    max_served: usize,
    page_size: usize,
}

#[derive(Debug)]
struct Served {
    to: NodeId,
    request: u64,
    version: u64,
    users: Arc<[UserCount]>,
    next_page: usize,
}

impl Serving {
    pub(crate) fn new(max_served: usize, page_size: usize) -> Self {
        Self { next: 0, served: FxHashMap::default(), max_served, page_size: page_size.max(1) }
    }

    /// Begins to serve a node, which replaces an earlier request of it. At the limit the request is ignored: the node
    /// asks again.
    pub(crate) fn begin(&mut self, to: NodeId, request: u64, version: u64, users: Arc<[UserCount]>) -> Option<u64> {
        self.served.retain(|_, served| served.to != to);
        if self.served.len() >= self.max_served {
            return None;
        }
        self.next += 1;
        self.served.insert(self.next, Served { to, request, version, users, next_page: 0 });
        Some(self.next)
    }

    /// Returns the next page, and to which node it goes.
    pub(crate) fn next_page(&mut self, serving: u64) -> Option<(NodeId, SnapshotPage)> {
        let served = self.served.get_mut(&serving)?;
        let from = served.next_page * self.page_size;
        let until = (from + self.page_size).min(served.users.len());
        let page = SnapshotPage {
            request: served.request,
            version: served.version,
            page: served.next_page as u64,
            is_last: until == served.users.len(),
            users: served.users[from..until].to_vec(),
        };
        served.next_page += 1;
        let to = served.to;
        if page.is_last {
            self.served.remove(&serving);
        }
        Some((to, page))
    }

    /// Gives up: the node asks again.
    pub(crate) fn end(&mut self, serving: u64) {
        self.served.remove(&serving);
    }
}

#[cfg(test)]
mod tests {
    use switchboard_core::broker::UserKey;

    use super::*;

    #[test]
    fn a_snapshot_has_all_users_in_pages() {
        let users: Vec<_> =
            (0..5).map(|n| UserCount { key: UserKey::new(n.to_string()).unwrap(), connections: 1 }).collect();
        let mut serving = Serving::new(1, 2);
        let node = NodeId::from_bytes([1; 16]);
        let id = serving.begin(node, 7, 3, users.into()).unwrap();
        assert_eq!(serving.begin(NodeId::from_bytes([2; 16]), 1, 3, Arc::new([])), None);
        let pages: Vec<_> = std::iter::from_fn(|| serving.next_page(id)).map(|(_, page)| page).collect();
        let shape: Vec<_> = pages.iter().map(|page| (page.page, page.users.len(), page.is_last)).collect();
        assert_eq!(shape, [(0, 2, false), (1, 2, false), (2, 1, true)]);
    }

    #[test]
    fn no_users_are_one_empty_page() {
        let mut serving = Serving::new(1, 2);
        let id = serving.begin(NodeId::from_bytes([1; 16]), 7, 0, Arc::new([])).unwrap();
        assert!(serving.next_page(id).unwrap().1.is_last);
        assert_eq!(serving.next_page(id), None);
    }
}
