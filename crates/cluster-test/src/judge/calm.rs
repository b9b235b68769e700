//! When links were disturbed.

use std::time::Duration;

use super::promises::RECOVERY;
use crate::history::{Disturbance, History};

#[derive(Debug, Clone, Copy)]
pub(super) struct Calm<'a>(&'a [Disturbance]);

impl<'a> Calm<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        Self(&history.disturbances)
    }

    /// Whether none of the nodes was disturbed or recovering in a time.
    pub(super) fn is(self, nodes: &[usize], from: Duration, until: Duration) -> bool {
        self.recovered(nodes, from, until).is_none()
    }

    /// When the latest fault in a time, from which one of the nodes was not recovered yet, had no more effect.
    pub(super) fn recovered(self, nodes: &[usize], from: Duration, until: Duration) -> Option<Duration> {
        self.concerning(nodes, from, until, RECOVERY).map(|it| it.until + RECOVERY).max()
    }

    /// When the latest fault in a time that concerns one of the nodes had ended.
    pub(super) fn mended(self, nodes: &[usize], from: Duration, until: Duration) -> Option<Duration> {
        self.concerning(nodes, from, until, Duration::ZERO).map(|it| it.until).max()
    }

    fn concerning(
        self,
        nodes: &[usize],
        from: Duration,
        until: Duration,
        after: Duration,
    ) -> impl Iterator<Item = &'a Disturbance> {
        let overlaps = move |it: &&Disturbance| it.from <= until && from <= it.until + after;
        let concerns = move |it: &&Disturbance| nodes.iter().any(|node| it.scope.concerns(*node));
        self.0.iter().filter(overlaps).filter(concerns)
    }
}
