//! The last updates.

use std::collections::VecDeque;

use switchboard::ConnId;

use crate::messages::Payload;

/// The maximum total size of the payloads that are kept, as JSON.
pub(crate) const MAX_BYTES: usize = 512 * 1024;

/// An applied update.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) seq: u64,
    pub(crate) payload: Payload,
    author: ConnId,
    author_seq: u64,
    bytes: usize,
}

/// The last updates, without gaps between them.
#[derive(Debug)]
pub(crate) struct History {
    updates: VecDeque<Update>,
    capacity: usize,
    bytes: usize,
    last_seq: u64,
}

impl History {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { updates: VecDeque::new(), capacity, bytes: 0, last_seq: 0 }
    }

    /// Stores an update and returns its number.
    pub(crate) fn push(&mut self, author: ConnId, author_seq: u64, payload: Payload) -> u64 {
        // A payload that was read can be written.
        let bytes = serde_json::to_string(&payload).map_or(0, |json| json.len());
        self.last_seq += 1;
        self.updates.push_back(Update { seq: self.last_seq, payload, author, author_seq, bytes });
        self.bytes += bytes;
        while self.updates.len() > self.capacity || self.bytes > MAX_BYTES {
            let Some(oldest) = self.updates.pop_front() else { break };
            self.bytes -= oldest.bytes;
        }
        self.last_seq
    }

    /// Returns the stored update of an author with this number, if it is still kept.
    pub(crate) fn find(&self, author: ConnId, author_seq: u64) -> Option<&Update> {
        self.updates.iter().find(|update| update.author == author && update.author_seq == author_seq)
    }

    /// Returns all stored updates from this number on.
    pub(crate) fn since(&self, seq: u64) -> impl Iterator<Item = &Update> {
        let skipped = seq.saturating_sub(self.first_seq());
        self.updates.iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX))
    }

    /// Returns the number of the first stored update, or the next number if there is none.
    pub(crate) fn first_seq(&self) -> u64 {
        self.updates.front().map_or(self.last_seq + 1, |update| update.seq)
    }
}
