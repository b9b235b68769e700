//! What goes wrong, and when.

use std::time::Duration;

use crate::hash::Random;

/// A fault with a beginning and an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing of this node reaches the broker, without a link event.
    CutToBroker(usize),
    /// Nothing reaches this node, without a link event.
    CutToNode(usize),
    /// Everything from and to this node takes half a second longer.
    Delay(usize),
    /// The node's connection is reset.
    Reset(usize),
    /// Some messages to this node are dropped, without a word.
    Lossy(usize),
    /// Some messages to this node arrive twice.
    Repeating(usize),
    /// The node is stopped, and continued at the end.
    Pause(usize),
    /// The node is killed. At the end, another is started in its place.
    Kill(usize),
    /// The node leaves, and another is started in its place at the end.
    Drain(usize),
    /// The broker is killed, and is back empty at the end.
    Broker,
    /// The broker answers nothing, and goes on at the end.
    Silent,
}

impl Fault {
    /// Whether connections work as usual. Messages may be lost one by one, and are told.
    pub(super) fn leaves_links_up(self) -> bool {
        matches!(self, Self::Lossy(_) | Self::Repeating(_))
    }

    pub(super) fn node(self) -> Option<usize> {
        match self {
            Self::CutToBroker(node)
            | Self::CutToNode(node)
            | Self::Delay(node)
            | Self::Reset(node)
            | Self::Lossy(node)
            | Self::Repeating(node)
            | Self::Pause(node)
            | Self::Kill(node)
            | Self::Drain(node) => Some(node),
            Self::Broker | Self::Silent => None,
        }
    }
}

/// Draws the faults of a run: at most one of each node at a time.
pub(super) fn draw(
    random: &mut Random,
    nodes: usize,
    from: Duration,
    until: Duration,
) -> Vec<(Duration, Duration, Fault)> {
    let mut faults: Vec<(Duration, Duration, Fault)> = Vec::new();
    let mut at = from;
    loop {
        at += Duration::from_millis(300 + random.below(4500));
        if at >= until {
            return faults;
        }
        let node = random.below(nodes as u64) as usize;
        let (fault, longest_ms) = match random.below(22) {
            0..=1 => (Fault::CutToBroker(node), 14_000),
            2..=3 => (Fault::CutToNode(node), 14_000),
            4..=5 => (Fault::Delay(node), 6_000),
            6..=8 => (Fault::Reset(node), 1),
            9..=11 => (Fault::Lossy(node), 8_000),
            12 => (Fault::Repeating(node), 8_000),
            13..=14 => (Fault::Pause(node), 12_000),
            15..=17 => (Fault::Kill(node), 15_000),
            18 => (Fault::Drain(node), 8_000),
            19..=20 => (Fault::Broker, 4_000),
            _ => (Fault::Silent, 4_000),
        };
        let end = (at + Duration::from_millis(1 + random.below(longest_ms))).min(until);
        let overlaps = |(_, other_end, other): &(Duration, Duration, Fault)| {
            *other_end >= at && (other.node() == fault.node() || other.node().is_none() || fault.node().is_none())
        };
        if !faults.iter().any(overlaps) {
            faults.push((at, end, fault));
        }
    }
}
