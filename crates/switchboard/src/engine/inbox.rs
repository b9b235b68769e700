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
    requests: usize,
    /// None of what waits has an earlier deadline.
    earliest: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    work: Work<KeptCall>,
    bytes: usize,
    since: Instant,
    deadline: Option<Instant>,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn is_full(&self, config: &Config) -> bool {
        self.has((config.max_inbox_messages, config.max_inbox_bytes))
    }

    /// Whether nothing more is taken in even for the sake of an answer.
    pub(super) fn is_overfull(&self, config: &Config) -> bool {
        self.is_full(config) && self.has(config.max_inbox_during_call)
    }

    fn has(&self, (messages, bytes): (usize, usize)) -> bool {
        !self.queue.is_empty() && (self.queue.len() >= messages || self.bytes >= bytes)
    }

    /// How many requests wait.
    pub(super) fn requests(&self) -> usize {
        self.requests
    }

    /// `timeout`: how long it may wait, and be handled.
    pub(super) fn push(&mut self, work: Work<KeptCall>, bytes: usize, timeout: Option<Duration>) {
        self.bytes += bytes;
        self.requests += usize::from(work.request().is_some());
        let since = Instant::now();
        let deadline = timeout.and_then(|timeout| since.checked_add(timeout));
        self.earliest = self.earliest.into_iter().chain(deadline).min();
        self.queue.push_back(Waiting { work, bytes, since, deadline });
    }

    /// When to look for what has waited too long; it may be that nothing has.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.earliest
    }

    /// Takes one that has waited too long.
    pub(super) fn take_late(&mut self) -> Option<Work<KeptCall>> {
        let now = Instant::now();
        let index = self.queue.iter().position(|waiting| waiting.deadline.is_some_and(|deadline| deadline <= now));
        if let Some(index) = index {
            return self.take(index).map(|waiting| waiting.work);
        }
        self.earliest = self.queue.iter().filter_map(|waiting| waiting.deadline).min();
        None
    }

    /// The first that may be done now, and how long it has waited.
    pub(super) fn pop(&mut self, may: impl Fn(&Work<KeptCall>) -> bool) -> Option<(Work<KeptCall>, Duration)> {
        let index = self.queue.iter().position(|waiting| may(&waiting.work))?;
        self.take(index).map(|waiting| (waiting.work, waiting.since.elapsed()))
    }

    fn take(&mut self, index: usize) -> Option<Waiting> {
        let waiting = self.queue.remove(index)?;
        self.bytes -= waiting.bytes;
        self.requests -= usize::from(waiting.work.request().is_some());
        if self.queue.is_empty() {
            // An idle connection keeps no room.
            self.queue = VecDeque::new();
            self.earliest = None;
        }
        Some(waiting)
    }

    /// Whether something that will be answered under this id waits here.
    pub(super) fn contains_id(&self, correlation_id: &str) -> bool {
        self.queue.iter().any(|waiting| waiting.work.answers_under(correlation_id))
    }

    /// Takes out the request with this id.
    pub(super) fn remove_request(&mut self, correlation_id: &str) -> Option<Work<KeptCall>> {
        let index = self.queue.iter().position(|waiting| waiting.work.is_request(correlation_id))?;
        self.take(index).map(|waiting| waiting.work)
    }
}
