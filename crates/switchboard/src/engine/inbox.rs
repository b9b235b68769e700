//! The messages that wait behind a running handler.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::incoming::Work;
use crate::{Config, request::OwnedCall};

/// A queue of messages, bounded in number and bytes: while it is full, the socket is not read. It
/// allocates nothing while it is empty.
#[derive(Debug, Default)]
pub(super) struct Inbox(Option<Box<Queue>>);

/// Never empty.
#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Queued>,
    bytes: usize,
    requests: usize,
    /// A lower bound of the deadlines in the queue.
    earliest: Option<Instant>,
}

#[derive(Debug)]
struct Queued {
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

    /// Whether it is full even while a handler awaits an answer of the client.
    pub(super) fn is_overfull(&self, config: &Config) -> bool {
        self.is_full(config) && self.has(config.max_inbox_during_call)
    }

    fn has(&self, (messages, bytes): (usize, usize)) -> bool {
        self.0.as_ref().is_some_and(|queue| queue.messages.len() >= messages || queue.bytes >= bytes)
    }

    /// Returns the number of requests that wait.
    pub(super) fn requests(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.requests)
    }

    /// Appends a message. `timeout` limits waiting and handling together.
    pub(super) fn push(&mut self, work: Work<OwnedCall>, bytes: usize, timeout: Option<Duration>) {
        let queue = self.0.get_or_insert_default();
        queue.bytes += bytes;
        queue.requests += usize::from(work.request().is_some());
        let since = Instant::now();
        let deadline = timeout.and_then(|timeout| since.checked_add(timeout));
        queue.earliest = queue.earliest.into_iter().chain(deadline).min();
        queue.messages.push_back(Queued { work, bytes, since, deadline });
    }

    /// Returns when to call [`take_late`](Self::take_late) next; it may find nothing.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.0.as_ref().and_then(|queue| queue.earliest)
    }

    /// Takes a message whose deadline has passed.
    pub(super) fn take_late(&mut self) -> Option<Work<OwnedCall>> {
        let now = Instant::now();
        let late = self.take(|queued| queued.deadline.is_some_and(|deadline| deadline <= now));
        if late.is_none()
            && let Some(queue) = &mut self.0
        {
            queue.earliest = queue.messages.iter().filter_map(|queued| queued.deadline).min();
        }
        late.map(|queued| queued.work)
    }

    /// Takes the first message for which `may` holds, with the time that it waited.
    pub(super) fn pop(&mut self, may: impl Fn(&Work<OwnedCall>) -> bool) -> Option<(Work<OwnedCall>, Duration)> {
        self.take(|queued| may(&queued.work)).map(|queued| (queued.work, queued.since.elapsed()))
    }

    fn take(&mut self, which: impl Fn(&Queued) -> bool) -> Option<Queued> {
        let queue = self.0.as_mut()?;
        let index = queue.messages.iter().position(which)?;
        let queued = queue.messages.remove(index)?;
        queue.bytes -= queued.bytes;
        queue.requests -= usize::from(queued.work.request().is_some());
        if queue.messages.is_empty() {
            self.0 = None;
        }
        Some(queued)
    }

    /// Whether a message that will be answered with this correlation id waits.
    pub(super) fn contains_id(&self, correlation_id: &str) -> bool {
        self.0
            .as_ref()
            .is_some_and(|queue| queue.messages.iter().any(|queued| queued.work.answers_under(correlation_id)))
    }

    /// Removes the request with this id.
    pub(super) fn remove_request(&mut self, correlation_id: &str) -> Option<Work<OwnedCall>> {
        self.take(|queued| queued.work.is_request(correlation_id)).map(|queued| queued.work)
    }
}
