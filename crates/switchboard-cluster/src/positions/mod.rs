//! Noticing lost messages: the position of each publisher in each joined topic.

use std::{collections::VecDeque, time::Duration};

use rustc_hash::FxHashMap;
use switchboard_core::broker::TopicName;

use crate::{
    ClusterConfig,
    bus::{ListedPublish, Origin, Predecessor},
    hash::{Seeded, SeededMap, fnv1a},
};

/// The positions in the topics that this node is subscribed to.
///
/// A message names the one before it, of the same publisher in the same topic. If that one has not arrived, it is lost:
/// brokers keep the order of a publisher in a channel. Heartbeats name the last message, so that its loss is noticed, too.
/// They may overtake it, so it has some time to arrive.
///
/// After a subscription has begun, a publisher's position is not known until its first message. Whether an earlier one is
/// missing depends on its age: if it is younger than the subscription, it should have arrived.
#[derive(Debug)]
pub(crate) struct Positions {
    /// By the hash of the topic's name, which heartbeats contain.
    topics: SeededMap<u64, TopicPositions>,
    /// Messages that heartbeats have named and that have not arrived, in the order of their deadlines.
    expected: VecDeque<Expected>,
    total: usize,
    max_positions: usize,
    max_expected: usize,
    ttl: Duration,
    join_margin: Duration,
    arrival_grace: Duration,
}

#[derive(Debug)]
struct TopicPositions {
    name: TopicName,
    /// What was published later should have arrived, also of publishers that were not heard yet.
    since: Duration,
    /// When a gap was told last for another reason: it covers all that was published before.
    told: Option<Duration>,
    publishers: FxHashMap<Origin, Position>,
}

#[derive(Debug, Clone, Copy)]
struct Position {
    sequence: u64,
    /// The latest that a heartbeat has named.
    expected: u64,
    at: Duration,
}

#[derive(Debug)]
struct Expected {
    deadline: Duration,
    /// When it was published, at the latest.
    published: Duration,
    topic: u64,
    origin: Origin,
    sequence: u64,
}

/// What a message of a topic is, by its sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    Next,
    /// Messages before it are lost.
    AfterGap,
    /// It has arrived already, or it was told to be lost.
    Old,
}

/// Returns the hash by which heartbeats name a topic.
pub(crate) fn topic_hash(topic: &TopicName) -> u64 {
    fnv1a(&[topic.as_str().as_bytes()])
}

impl Positions {
    pub(crate) fn new(config: &ClusterConfig, hasher: Seeded) -> Self {
        Self {
            topics: SeededMap::with_hasher(hasher),
            expected: VecDeque::new(),
            total: 0,
            max_positions: config.max_positions,
            max_expected: config.max_listed_topics.saturating_mul(4),
            ttl: config.position_ttl,
            join_margin: config.join_margin,
            arrival_grace: config.arrival_grace,
        }
    }

    /// Begins to watch a topic.
    pub(crate) fn begin(&mut self, topic: &TopicName, now: Duration) {
        self.end(topic);
        let watched = TopicPositions { name: topic.clone(), since: now, told: None, publishers: FxHashMap::default() };
        // Of two topics with one hash only the first is watched.
        self.topics.entry(topic_hash(topic)).or_insert(watched);
    }

    /// The subscription was interrupted, and a gap was told: it covers what was published before.
    pub(crate) fn interrupted(&mut self, topic: &TopicName, now: Duration) {
        if let Some(watched) = self.topics.get_mut(&topic_hash(topic)).filter(|watched| watched.name == *topic) {
            watched.told = Some(now);
        }
    }

    pub(crate) fn end(&mut self, topic: &TopicName) {
        let hash = topic_hash(topic);
        if self.topics.get(&hash).is_some_and(|watched| watched.name == *topic)
            && let Some(watched) = self.topics.remove(&hash)
        {
            self.total -= watched.publishers.len();
        }
    }

    /// Takes a message of a topic.
    pub(crate) fn message(
        &mut self,
        topic: &TopicName,
        origin: Origin,
        sequence: u64,
        predecessor: Option<Predecessor>,
        now: Duration,
    ) -> Arrival {
        let hash = topic_hash(topic);
        let Some(watched) = self.topics.get_mut(&hash).filter(|watched| watched.name == *topic) else {
            return Arrival::Next;
        };
        if let Some(position) = watched.publishers.get_mut(&origin) {
            if sequence <= position.sequence {
                return Arrival::Old;
            }
            let told = watched.told;
            let is_missing = |before: Predecessor| {
                before.sequence > position.sequence && !is_told(told, published_by(before.age_ms, now))
            };
            let has_gap = predecessor.is_some_and(is_missing);
            (position.sequence, position.at) = (sequence, now);
            return if has_gap { Arrival::AfterGap } else { Arrival::Next };
        }
        let has_gap = predecessor.is_some_and(|before| watched.should_have_heard(before.age_ms, self.join_margin, now));
        self.insert(hash, origin, sequence, now);
        if has_gap { Arrival::AfterGap } else { Arrival::Next }
    }

    fn insert(&mut self, topic: u64, origin: Origin, sequence: u64, now: Duration) {
        let Some(watched) = self.topics.get_mut(&topic) else { return };
        let before = watched.publishers.len();
        // Now and then, so that it costs little: publishers that are gone, or were silent for long.
        if before >= 8 && before.is_power_of_two() {
            let ttl = self.ttl;
            watched.publishers.retain(|_, position| position.at.saturating_add(ttl) > now);
        }
        if self.total >= self.max_positions {
            watched.publishers.clear();
        }
        if watched.publishers.len() < before {
            watched.since = now;
        }
        watched.publishers.insert(origin, Position { sequence, expected: 0, at: now });
        self.total = self.total + watched.publishers.len() - before;
    }

    /// Takes the last message of a topic, as a heartbeat of its publisher names it.
    pub(crate) fn listed(&mut self, origin: Origin, listed: ListedPublish, now: Duration) {
        let Some(watched) = self.topics.get(&listed.topic_hash) else { return };
        if !watched.publishers.contains_key(&origin) {
            if !watched.should_have_heard(listed.age_ms, self.join_margin, now) {
                return;
            }
            self.insert(listed.topic_hash, origin, 0, now);
        }
        let Some(watched) = self.topics.get_mut(&listed.topic_hash) else { return };
        let told = watched.told;
        let Some(position) = watched.publishers.get_mut(&origin) else { return };
        // If it does not fit, the next heartbeat names it again.
        let fits = self.expected.len() < self.max_expected;
        let published = published_by(listed.age_ms, now);
        if !fits || is_told(told, published) || listed.sequence <= position.sequence.max(position.expected) {
            return;
        }
        position.expected = listed.sequence;
        let deadline = now.saturating_add(self.arrival_grace);
        let (topic, sequence) = (listed.topic_hash, listed.sequence);
        self.expected.push_back(Expected { deadline, published, topic, origin, sequence });
    }

    /// Returns the next topic of which an expected message has not arrived in time.
    pub(crate) fn lost(&mut self, now: Duration) -> Option<TopicName> {
        while self.expected.front().is_some_and(|expected| expected.deadline <= now) {
            let Some(Expected { published, topic, origin, sequence, .. }) = self.expected.pop_front() else { break };
            let Some(watched) = self.topics.get_mut(&topic) else { continue };
            if let Some(position) = watched.publishers.get_mut(&origin)
                && position.sequence < sequence
            {
                // Told once: what arrives of it later is old.
                (position.sequence, position.at) = (sequence, now);
                if !is_told(watched.told, published) {
                    return Some(watched.name.clone());
                }
            }
        }
        None
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.expected.front().map(|expected| expected.deadline)
    }
}

impl TopicPositions {
    /// Returns whether a message of this age should have arrived, and was not told to be lost: it was published after the
    /// subscription began.
    fn should_have_heard(&self, age_ms: u64, margin: Duration, now: Duration) -> bool {
        let published = published_by(age_ms, now);
        published > self.since.saturating_add(margin) && !is_told(self.told, published)
    }
}

/// Returns when a message was published at the latest, by the age that has come with another message. The way of that
/// message is not known.
fn published_by(age_ms: u64, now: Duration) -> Duration {
    now.saturating_sub(Duration::from_millis(age_ms))
}

fn is_told(told: Option<Duration>, published: Duration) -> bool {
    told.is_some_and(|told| published <= told)
}

#[cfg(test)]
mod tests;
