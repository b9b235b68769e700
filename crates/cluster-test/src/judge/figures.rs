//! What was measured.

use std::{fmt, time::Duration};

use super::view::{Arrival, View};
use crate::history::Outcome;

/// What a run has shown. Times are those on links that were not disturbed, unless they are about faults.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Messages that were sent to be published.
    pub sent: usize,
    /// Those that were accepted.
    pub accepted: usize,
    /// Those that were refused.
    pub refused: usize,
    /// Those whose outcome is unknown, including those whose connection was lost.
    pub unknown: usize,
    /// Messages that arrived, at all members.
    pub delivered: usize,
    /// Accepted messages that did not arrive, at all members.
    pub lost: usize,
    /// Gaps that members were told of.
    pub gaps: usize,
    /// How long after the answer to a publish its loss was told.
    pub told_after: Times,
    /// How long a publish took to be accepted.
    pub answered_after: Times,
    /// How long after a fault a publish was accepted again, on each node.
    pub resumed_after: Times,
    /// How long after the end of the last connection a user was offline, on each other node.
    pub offline_after: Times,
    /// How long a message for a user of another node took.
    pub send: Times,
    /// How long the end of a subscription at another node took, including the answer.
    pub revoke: Times,
    /// How long closing a connection of another node took.
    pub kick: Times,
}

impl Figures {
    pub(super) fn of(view: &View<'_>) -> Self {
        let mut figures = Self { sent: view.publishes.len(), ..Self::default() };
        for publish in view.publishes.values() {
            match publish.answer {
                Some((at, Outcome::Accepted)) => {
                    figures.accepted += 1;
                    if view.calm.is(&[publish.node], publish.sent, at) {
                        figures.answered_after.add(at.saturating_sub(publish.sent));
                    }
                }
                Some((_, Outcome::Refused)) => figures.refused += 1,
                _ => figures.unknown += 1,
            }
        }
        for (_, arrival) in view.subscriptions.iter().flat_map(|subscription| &subscription.arrivals) {
            match arrival {
                Arrival::Message(_) => figures.delivered += 1,
                Arrival::Gap => figures.gaps += 1,
            }
        }
        figures
    }

    /// The commands, with their names.
    #[must_use]
    pub fn commands(&self) -> [(&'static str, &Times); 3] {
        [("send", &self.send), ("revoke", &self.revoke), ("kick", &self.kick)]
    }

    /// Adds those of another run.
    pub fn extend(&mut self, other: Self) {
        self.sent += other.sent;
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.gaps += other.gaps;
        self.told_after.0.extend(other.told_after.0);
        self.answered_after.0.extend(other.answered_after.0);
        self.resumed_after.0.extend(other.resumed_after.0);
        self.offline_after.0.extend(other.offline_after.0);
        self.send.0.extend(other.send.0);
        self.revoke.0.extend(other.revoke.0);
        self.kick.0.extend(other.kick.0);
    }
}

/// Measured times.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub(super) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Returns how many were measured.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the time that this share of the times does not exceed: 0.5 is the median. Zero if nothing was measured.
    #[must_use]
    pub fn share(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (sorted.len() as f64 * share) as usize;
        sorted.get(at).or(sorted.last()).copied().unwrap_or_default()
    }
}

/// The median, the 99th percentile and the maximum.
impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("–");
        }
        let [median, most, all] = [0.5, 0.99, 1.0].map(|share| millis(self.share(share)));
        write!(f, "{median} / {most} / {all} ms ({})", self.len())
    }
}

fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    if millis < 10.0 { format!("{millis:.1}") } else { format!("{millis:.0}") }
}
