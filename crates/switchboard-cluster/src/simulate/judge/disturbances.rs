//! When the link of a node was disturbed.

use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Disturbances {
    past: Vec<(Duration, Duration)>,
    since: Option<Duration>,
}

impl Disturbances {
    pub(super) fn set(&mut self, is_disturbed: bool, now: Duration) {
        match (is_disturbed, self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(since)) => {
                self.past.push((since, now));
                self.since = None;
            }
            _ => {}
        }
    }

    /// Returns the end of the last disturbance that touches a time, if there is one. One that has not ended has no end.
    pub(super) fn touching(&self, from: Duration, until: Duration) -> Option<Duration> {
        if self.since.is_some_and(|since| since <= until) {
            return Some(Duration::MAX);
        }
        self.past.iter().rev().find(|(begin, end)| *begin <= until && *end >= from).map(|(_, end)| *end)
    }

    pub(super) fn is_calm(&self, from: Duration, until: Duration) -> bool {
        self.touching(from, until).is_none()
    }
}
