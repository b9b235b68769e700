//! Publishes of this node: their sequences, and what waits for the broker and for this node's subscribers.

use std::{collections::VecDeque, time::Duration};

use rustc_hash::FxHashMap;
use switchboard_core::broker::{BrokerErrorKind, TopicName};

use crate::{
    ClusterConfig, ClusterError, Output, PublishId,
    bus::{ListedPublish, Predecessor},
    deadlines::Deadlines,
    hash::{Seeded, SeededMap},
    outputs::Outputs,
    positions::topic_hash,
};

/// How many accepted heartbeats list a publish: one may be lost.
const LISTINGS: u8 = 2;

/// Sequences and pending publishes.
///
/// Sequences are those of the node, not of the topic: so those in a topic only increase, also after this node has
/// forgotten the topic. A message then has no predecessor, and nothing is checked.
#[derive(Debug)]
pub(crate) struct Publishing {
    next_sequence: u64,
    topics: SeededMap<TopicName, LastPublish>,
    /// Topics to be listed in heartbeats, each once.
    to_list: VecDeque<TopicName>,
    pending: FxHashMap<u64, PendingPublish>,
    pending_bytes: usize,
    /// How many unconfirmed publishes have failed.
    failed: u64,
    /// Publishes that the broker has accepted and that have not come back.
    echoes: Deadlines<u64>,
    max_topics: usize,
    max_pending: usize,
    max_bytes: usize,
    max_listed: usize,
}

#[derive(Debug)]
struct LastPublish {
    sequence: u64,
    at: Duration,
    /// The latest that receivers can miss: it was accepted, or nothing is known of it.
    confirmed: Option<(u64, Duration)>,
    listing: Listing,
    listings_left: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    None,
    Queued,
    InHeartbeat,
}

#[derive(Debug)]
struct PendingPublish {
    topic: TopicName,
    at: Duration,
    predecessor: Option<(u64, Duration)>,
    bytes: usize,
    is_accepted: bool,
    confirms: Confirms,
}

/// What a publisher wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirms {
    /// That the broker has accepted the message, and that this node's subscribers have it.
    Delivery,
    /// That the broker has accepted the message.
    Acceptance,
    /// That the broker has not accepted it.
    Failure,
}

impl Publishing {
    pub(crate) fn new(config: &ClusterConfig, hasher: Seeded) -> Self {
        Self {
            next_sequence: 1,
            topics: SeededMap::with_hasher(hasher),
            to_list: VecDeque::new(),
            pending: FxHashMap::default(),
            pending_bytes: 0,
            failed: 0,
            echoes: Deadlines::new(config.echo_timeout),
            max_topics: config.max_published_topics,
            max_pending: config.max_pending_publishes,
            max_bytes: config.max_pending_bytes,
            max_listed: config.max_listed_topics,
        }
    }

    /// Begins a publish of about `bytes` bytes, and returns its sequence and predecessor.
    pub(crate) fn begin(
        &mut self,
        topic: &TopicName,
        bytes: usize,
        confirms: Confirms,
        now: Duration,
    ) -> Result<(u64, Option<Predecessor>), ClusterError> {
        if self.pending.len() >= self.max_pending {
            return Err(ClusterError::TooManyPublishes { limit: self.max_pending });
        }
        if self.pending_bytes.saturating_add(bytes) > self.max_bytes {
            return Err(ClusterError::TooManyBytes { limit: self.max_bytes });
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let last = self.topics.get_mut(topic);
        let predecessor = last.as_ref().map(|last| (last.sequence, last.at));
        if let Some(last) = last {
            (last.sequence, last.at) = (sequence, now);
        } else {
            self.forget_some_if_full();
            if self.topics.len() < self.max_topics {
                let last = LastPublish { sequence, at: now, confirmed: None, listing: Listing::None, listings_left: 0 };
                self.topics.insert(topic.clone(), last);
            }
        }
        let pending =
            PendingPublish { topic: topic.clone(), at: now, predecessor, bytes, is_accepted: false, confirms };
        self.pending.insert(sequence, pending);
        self.pending_bytes += bytes;
        let predecessor = predecessor.map(|(sequence, at)| Predecessor { sequence, age_ms: age_ms(at, now) });
        Ok((sequence, predecessor))
    }

    /// Makes room by forgetting topics whose last publish has been listed. Which ones does not matter.
    fn forget_some_if_full(&mut self) {
        if self.topics.len() >= self.max_topics {
            let mut left = self.max_topics / 2 + 1;
            self.topics.retain(|_, last| {
                let is_told = last.confirmed.is_some_and(|(confirmed, _)| confirmed == last.sequence);
                let keep = left == 0 || !is_told || last.listing != Listing::None;
                left -= usize::from(!keep);
                keep
            });
        }
    }

    /// Takes the broker's answer to a publish.
    pub(crate) fn answered(
        &mut self,
        sequence: u64,
        result: Result<(), BrokerErrorKind>,
        now: Duration,
        outputs: &mut Outputs,
    ) {
        let Some(pending) = self.pending.get_mut(&sequence) else { return };
        let may_be_missed = matches!(result, Ok(()) | Err(BrokerErrorKind::Unknown));
        let (topic, at, predecessor) = (pending.topic.clone(), pending.at, pending.predecessor);
        if result.is_ok() && pending.confirms == Confirms::Delivery {
            pending.is_accepted = true;
            self.echoes.start(sequence, now);
        } else {
            self.end(sequence, result.map_err(ClusterError::Broker), outputs);
        }
        let Some(last) = self.topics.get_mut(&topic) else { return };
        if may_be_missed {
            if last.confirmed.is_none_or(|(confirmed, _)| confirmed < sequence) {
                last.confirmed = Some((sequence, at));
                // A heartbeat that is under way lists an earlier one.
                last.listings_left = LISTINGS + u8::from(last.listing == Listing::InHeartbeat);
                if last.listing == Listing::None {
                    last.listing = Listing::Queued;
                    self.to_list.push_back(topic);
                }
            }
        } else if last.sequence == sequence {
            // The next message must not name one that was refused as its predecessor.
            match predecessor {
                Some((before, at)) => (last.sequence, last.at) = (before, at),
                None => _ = self.topics.remove(&topic),
            }
        }
    }

    /// Takes a message of this node that has come back, after it was passed to the subscribers.
    pub(crate) fn echoed(&mut self, sequence: u64, outputs: &mut Outputs) {
        if let Some(pending) = self.pending.get_mut(&sequence) {
            if pending.is_accepted {
                self.end(sequence, Ok(()), outputs);
            } else if pending.confirms == Confirms::Delivery {
                pending.confirms = Confirms::Acceptance;
            }
        }
    }

    fn end(&mut self, sequence: u64, result: Result<(), ClusterError>, outputs: &mut Outputs) {
        if let Some(ended) = self.pending.remove(&sequence) {
            self.pending_bytes -= ended.bytes;
            if ended.confirms == Confirms::Failure {
                if result.is_ok() {
                    return;
                }
                self.failed += 1;
            }
            outputs.push_back(Output::Published { publish: PublishId(sequence), result });
        }
    }

    /// Ends publishes whose message does not come back: the broker has accepted them.
    pub(crate) fn tick(&mut self, now: Duration, outputs: &mut Outputs) {
        while let Some(sequence) = self.echoes.pop(now) {
            self.end(sequence, Ok(()), outputs);
        }
        let pending = &self.pending;
        self.echoes.shrink(pending.len(), |sequence| pending.contains_key(sequence));
    }

    /// Takes the topics to list in the next heartbeat.
    pub(crate) fn take_listed(&mut self, now: Duration) -> (Vec<TopicName>, Vec<ListedPublish>) {
        let mut topics = Vec::new();
        let mut publishes = Vec::new();
        while topics.len() < self.max_listed {
            let Some(topic) = self.to_list.pop_front() else { break };
            if let Some(last) = self.topics.get_mut(&topic)
                && let Some((sequence, at)) = last.confirmed
            {
                last.listing = Listing::InHeartbeat;
                publishes.push(ListedPublish { topic_hash: topic_hash(&topic), sequence, age_ms: age_ms(at, now) });
                topics.push(topic);
            }
        }
        (topics, publishes)
    }

    /// Takes the broker's answer to a heartbeat that listed these topics.
    pub(crate) fn listed(&mut self, topics: Vec<TopicName>, is_accepted: bool) {
        for topic in topics {
            let Some(last) = self.topics.get_mut(&topic).filter(|last| last.listing == Listing::InHeartbeat) else {
                continue;
            };
            last.listings_left = last.listings_left.saturating_sub(is_accepted.into());
            if last.listings_left > 0 {
                last.listing = Listing::Queued;
                self.to_list.push_back(topic);
            } else {
                last.listing = Listing::None;
            }
        }
    }

    /// Returns the number and the bytes of publishes that wait for the broker.
    pub(crate) fn pending(&self) -> (usize, usize) {
        (self.pending.len(), self.pending_bytes)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns whether more than half of a limit is taken.
    pub(crate) fn is_backlogged(&self) -> bool {
        self.pending.len() > self.max_pending / 2 || self.pending_bytes > self.max_bytes / 2
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.echoes.next()
    }
}

fn age_ms(at: Duration, now: Duration) -> u64 {
    now.saturating_sub(at).as_millis().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
