//! The connections between nodes and the broker: each keeps the order, and ends when something of it was lost.

use std::{collections::BTreeMap, time::Duration};

use super::event::LinkNumber;
use crate::hash::Random;

/// The state of the network at each node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Conditions {
    pub(super) cut_to_broker: bool,
    pub(super) cut_to_node: bool,
    pub(super) is_slow: bool,
    pub(super) is_lossy: bool,
    pub(super) repeats: bool,
}

#[derive(Debug)]
pub(super) struct Network {
    links: BTreeMap<LinkNumber, NetworkLink>,
    next: LinkNumber,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct NetworkLink {
    pub(super) node: usize,
    pub(super) life: u32,
    to_broker: Direction,
    to_node: Direction,
}

#[derive(Debug, Clone, Copy, Default)]
struct Direction {
    /// When the last packet arrives: none overtakes it.
    last_arrival: Duration,
    /// Something was lost, so nothing that follows arrives either, as on a TCP connection.
    is_dead: bool,
}

impl Direction {
    fn arrival(&mut self, is_cut: bool, delay: Duration, now: Duration) -> Option<Duration> {
        self.is_dead |= is_cut;
        if self.is_dead {
            return None;
        }
        self.last_arrival = self.last_arrival.max(now + delay);
        Some(self.last_arrival)
    }
}

impl Network {
    pub(super) fn new() -> Self {
        Self { links: BTreeMap::new(), next: 0 }
    }

    pub(super) fn open(&mut self, node: usize, life: u32) -> LinkNumber {
        self.next += 1;
        let link = NetworkLink { node, life, to_broker: Direction::default(), to_node: Direction::default() };
        self.links.insert(self.next, link);
        self.next
    }

    pub(super) fn close(&mut self, link: LinkNumber) -> Option<NetworkLink> {
        self.links.remove(&link)
    }

    /// Returns whether everything on this connection arrives.
    pub(super) fn is_alive(&self, link: LinkNumber) -> bool {
        self.links.get(&link).is_some_and(|link| !link.to_broker.is_dead && !link.to_node.is_dead)
    }

    pub(super) fn get(&self, link: LinkNumber) -> Option<NetworkLink> {
        self.links.get(&link).copied()
    }

    pub(super) fn links(&self) -> impl Iterator<Item = (LinkNumber, NetworkLink)> {
        self.links.iter().map(|(number, link)| (*number, *link))
    }

    /// Returns when a packet to the broker arrives, if it does.
    pub(super) fn arrival_at_broker(
        &mut self,
        link: LinkNumber,
        conditions: Conditions,
        random: &mut Random,
        now: Duration,
    ) -> Option<Duration> {
        let delay = delay(conditions, random);
        self.links.get_mut(&link)?.to_broker.arrival(conditions.cut_to_broker, delay, now)
    }

    /// Returns when a packet to the node arrives, if it does.
    pub(super) fn arrival_at_node(
        &mut self,
        link: LinkNumber,
        conditions: Conditions,
        random: &mut Random,
        now: Duration,
    ) -> Option<Duration> {
        let delay = delay(conditions, random);
        self.links.get_mut(&link)?.to_node.arrival(conditions.cut_to_node, delay, now)
    }
}

pub(super) fn delay(conditions: Conditions, random: &mut Random) -> Duration {
    let usual = Duration::from_micros(100 + random.below(2000));
    if conditions.is_slow { usual + Duration::from_millis(500) } else { usual }
}
