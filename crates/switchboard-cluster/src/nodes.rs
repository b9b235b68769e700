//! The other nodes, by their heartbeats.

use std::time::Duration;

use rustc_hash::FxHashMap;
use switchboard_core::broker::{Incarnation, NodeId};

use crate::{ClusterConfig, bus::Origin};

/// The nodes that were heard, this one excluded.
#[derive(Debug)]
pub(crate) struct Nodes {
    nodes: FxHashMap<NodeId, KnownNode>,
    node_timeout: Duration,
    node_grace: Duration,
    max_nodes: usize,
}

#[derive(Debug)]
struct KnownNode {
    incarnation: Incarnation,
    heard: Duration,
    is_down: bool,
    /// How many accepted heartbeats the last one that was heard has named. Not known after an interruption.
    accepted: Option<u64>,
}

/// What a heartbeat has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A node that was not known, or is back as another incarnation.
    New,
    Known {
        /// Whether it was silent for so long that it counted as down.
        was_down: bool,
        /// Whether heartbeats are missing that may have listed messages no other heartbeat has.
        missed_several: bool,
    },
    /// There are too many nodes.
    Refused,
}

/// A change in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silent {
    Down(NodeId),
    Gone(NodeId),
}

impl Nodes {
    pub(crate) fn new(config: &ClusterConfig) -> Self {
        Self {
            nodes: FxHashMap::default(),
            node_timeout: config.node_timeout,
            node_grace: config.node_grace,
            max_nodes: config.max_nodes,
        }
    }

    pub(crate) fn heartbeat(&mut self, origin: Origin, accepted: u64, now: Duration) -> Heard {
        let incarnation = origin.incarnation;
        let new = KnownNode { incarnation, heard: now, is_down: false, accepted: Some(accepted) };
        let Some(known) = self.nodes.get_mut(&origin.node) else {
            if self.nodes.len() >= self.max_nodes {
                return Heard::Refused;
            }
            self.nodes.insert(origin.node, new);
            return Heard::New;
        };
        if known.incarnation != incarnation {
            *known = new;
            return Heard::New;
        }
        let was_down = known.is_down;
        // The heartbeat that was heard last is among those accepted since.
        let missed_several = known.accepted.is_some_and(|before| accepted > before.saturating_add(2));
        *known = new;
        Heard::Known { was_down, missed_several }
    }

    pub(crate) fn remove(&mut self, origin: Origin) -> bool {
        self.is_known(origin) && self.nodes.remove(&origin.node).is_some()
    }

    /// Returns the nodes that are down or gone since the last call.
    pub(crate) fn tick(&mut self, now: Duration) -> Vec<Silent> {
        let mut silent = Vec::new();
        let (timeout, grace) = (self.node_timeout, self.node_grace);
        self.nodes.retain(|node, known| {
            let down_at = known.heard.saturating_add(timeout);
            if !known.is_down && down_at <= now {
                known.is_down = true;
                silent.push(Silent::Down(*node));
            }
            let is_gone = down_at.saturating_add(grace) <= now;
            if is_gone {
                silent.push(Silent::Gone(*node));
            }
            !is_gone
        });
        silent
    }

    /// Forgets the silence of a time in which this node did not run: nothing could be heard then.
    pub(crate) fn excuse(&mut self, now: Duration) {
        self.nodes.values_mut().filter(|known| !known.is_down).for_each(|known| known.heard = now);
    }

    /// Forgets which heartbeats were heard: the channel of all nodes was interrupted, which was reported otherwise.
    pub(crate) fn interrupted(&mut self) {
        self.nodes.values_mut().for_each(|known| known.accepted = None);
    }

    pub(crate) fn is_known(&self, origin: Origin) -> bool {
        self.nodes.get(&origin.node).is_some_and(|known| known.incarnation == origin.incarnation)
    }

    pub(crate) fn is_up(&self, origin: Origin) -> bool {
        self.nodes.get(&origin.node).is_some_and(|known| known.incarnation == origin.incarnation && !known.is_down)
    }

    pub(crate) fn up(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.iter().filter(|(_, known)| !known.is_down).map(|(node, _)| *node)
    }

    pub(crate) fn is_any_down(&self) -> bool {
        self.nodes.values().any(|known| known.is_down)
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn origin(node: u8, incarnation: u64) -> Origin {
        Origin { node: NodeId::from_bytes([node; 16]), incarnation: Incarnation::from_u64(incarnation) }
    }

    fn nodes() -> Nodes {
        Nodes::new(&ClusterConfig::new().max_nodes(2))
    }

    #[test]
    fn a_silent_node_is_down_after_four_seconds_and_gone_after_nine() {
        let mut nodes = nodes();
        let node = origin(1, 1).node;
        assert_eq!(nodes.heartbeat(origin(1, 1), 0, secs(0)), Heard::New);
        assert_eq!((nodes.tick(secs(3)), nodes.up().next().is_some()), (vec![], true));
        assert_eq!((nodes.tick(secs(4)), nodes.up().next().is_some()), (vec![Silent::Down(node)], false));
        assert_eq!(nodes.tick(secs(8)), []);
        assert_eq!((nodes.tick(secs(9)), nodes.len()), (vec![Silent::Gone(node)], 0));
    }

    #[test]
    fn a_node_comes_back_as_itself_or_as_another_incarnation() {
        let mut nodes = nodes();
        nodes.heartbeat(origin(1, 1), 0, secs(0));
        nodes.tick(secs(5));
        assert!(nodes.is_any_down());
        let back = Heard::Known { was_down: true, missed_several: false };
        assert_eq!(nodes.heartbeat(origin(1, 1), 0, secs(6)), back, "it has sent nothing meanwhile");
        assert_eq!(nodes.heartbeat(origin(1, 2), 0, secs(7)), Heard::New);
        assert!(!nodes.remove(origin(1, 1)), "the old incarnation cannot say goodbye for the new one");
        assert!(nodes.remove(origin(1, 2)));
    }

    #[test]
    fn missing_heartbeats_are_counted_by_those_that_the_broker_accepted() {
        let mut nodes = nodes();
        nodes.heartbeat(origin(1, 1), 10, secs(0));
        let known = |missed_several| Heard::Known { was_down: false, missed_several };
        assert_eq!(nodes.heartbeat(origin(1, 1), 11, secs(1)), known(false));
        assert_eq!(nodes.heartbeat(origin(1, 1), 13, secs(2)), known(false), "one is missing");
        assert_eq!(nodes.heartbeat(origin(1, 1), 16, secs(3)), known(true), "two are missing");
    }

    #[test]
    fn more_nodes_than_the_limit_are_refused() {
        let mut nodes = nodes();
        assert_eq!(nodes.heartbeat(origin(1, 1), 0, secs(0)), Heard::New);
        assert_eq!(nodes.heartbeat(origin(2, 1), 0, secs(0)), Heard::New);
        assert_eq!(nodes.heartbeat(origin(3, 1), 0, secs(0)), Heard::Refused);
        assert_eq!(nodes.up().count(), 2);
    }
}
