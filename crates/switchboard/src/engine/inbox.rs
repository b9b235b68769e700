//! What has arrived and waits behind a running handler.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::incoming::Work;
use crate::{Config, request::OwnedCall};

/// Bounded in messages and bytes: while it is full, the socket is not read. Takes no room while it is
/// empty.
#[derive(Debug, Default)]
pub(super) struct Inbox(Option<Box<Queue>>);

/// Never empty.
#[derive(Debug, Default)]
struct Queue {
    queue: VecDeque<Waiting>,
    bytes: usize,
    requests: usize,
    /// None of what waits has an earlier deadline.
    earliest: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    work: Work<OwnedCall>,
    bytes: usize,
    since: Instant,
    deadline: Option<Instant>,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn is_full(&self, config: &Config) -> bool {
        self.has((config.max_inbox_messages, config.max_inbox_bytes))
    }

    /// Whether nothing more is taken in even for the sake of an answer.
    pub(super) fn is_overfull(&self, config: &Config) -> bool {
        self.is_full(config) && self.has(config.max_inbox_during_call)
    }

    fn has(&self, (messages, bytes): (usize, usize)) -> bool {
        self.0.as_ref().is_some_and(|waits| waits.queue.len() >= messages || waits.bytes >= bytes)
    }

    /// How many requests wait.
    pub(super) fn requests(&self) -> usize {
        self.0.as_ref().map_or(0, |waits| waits.requests)
    }

    /// `timeout`: how long it may wait, and be handled.
    pub(super) fn push(&mut self, work: Work<OwnedCall>, bytes: usize, timeout: Option<Duration>) {
        let waits = self.0.get_or_insert_default();
        waits.bytes += bytes;
        waits.requests += usize::from(work.request().is_some());
        let since = Instant::now();
        let deadline = timeout.and_then(|timeout| since.checked_add(timeout));
        waits.earliest = waits.earliest.into_iter().chain(deadline).min();
        waits.queue.push_back(Waiting { work, bytes, since, deadline });
    }

    /// When to look for what has waited too long; it may be that nothing has.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.0.as_ref().and_then(|waits| waits.earliest)
    }

    /// Takes one that has waited too long.
    pub(super) fn take_late(&mut self) -> Option<Work<OwnedCall>> {
        let now = Instant::now();
        let late = self.take(|waiting| waiting.deadline.is_some_and(|deadline| deadline <= now));
        if late.is_none()
            && let Some(waits) = &mut self.0
        {
            waits.earliest = waits.queue.iter().filter_map(|waiting| waiting.deadline).min();
        }
        late.map(|waiting| waiting.work)
    }

    /// The first that may be done now, and how long it has waited.
    pub(super) fn pop(&mut self, may: impl Fn(&Work<OwnedCall>) -> bool) -> Option<(Work<OwnedCall>, Duration)> {
        self.take(|waiting| may(&waiting.work)).map(|waiting| (waiting.work, waiting.since.elapsed()))
    }

    fn take(&mut self, which: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let waits = self.0.as_mut()?;
        let index = waits.queue.iter().position(which)?;
        let waiting = waits.queue.remove(index)?;
        waits.bytes -= waiting.bytes;
        waits.requests -= usize::from(waiting.work.request().is_some());
        if waits.queue.is_empty() {
            self.0 = None;
        }
        Some(waiting)
    }

    /// Whether something that will be answered under this id waits here.
    pub(super) fn contains_id(&self, correlation_id: &str) -> bool {
        self.0
            .as_ref()
            .is_some_and(|waits| waits.queue.iter().any(|waiting| waiting.work.answers_under(correlation_id)))
    }

    /// Takes out the request with this id.
    pub(super) fn remove_request(&mut self, correlation_id: &str) -> Option<Work<OwnedCall>> {
        self.take(|waiting| waiting.work.is_request(correlation_id)).map(|waiting| waiting.work)
    }
}
