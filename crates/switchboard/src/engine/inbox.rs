//! What has arrived and waits behind a running handler.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::incoming::Work;
use crate::{Config, router::KeptCall};

/// Bounded in messages and bytes: while it is full, the socket is not read.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    queue: VecDeque<Waiting>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    work: Work<KeptCall>,
    bytes: usize,
    since: Instant,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn is_full(&self, config: &Config) -> bool {
        !self.queue.is_empty()
            && (self.queue.len() >= config.max_inbox_messages || self.bytes >= config.max_inbox_bytes)
    }

    pub(super) fn push(&mut self, work: Work<KeptCall>, bytes: usize) {
        self.bytes += bytes;
        self.queue.push_back(Waiting { work, bytes, since: Instant::now() });
    }

    /// The next one and how long it has waited.
    pub(super) fn pop(&mut self) -> Option<(Work<KeptCall>, Duration)> {
        let Waiting { work, bytes, since } = self.queue.pop_front()?;
        self.bytes -= bytes;
        if self.queue.is_empty() {
            // An idle connection keeps no room.
            self.queue = VecDeque::new();
        }
        Some((work, since.elapsed()))
    }

    /// Whether something that will be answered under this id waits here.
    pub(super) fn contains_id(&self, correlation_id: &str) -> bool {
        self.queue.iter().any(|waiting| waiting.work.answers_under(correlation_id))
    }

    /// Takes out the request with this id.
    pub(super) fn remove_request(&mut self, correlation_id: &str) -> Option<Work<KeptCall>> {
        let index = self.queue.iter().position(|waiting| waiting.work.is_request(correlation_id))?;
        let waiting = self.queue.remove(index)?;
        self.bytes -= waiting.bytes;
        Some(waiting.work)
    }
}
