//! Writing what is queued for a topic's members.

use std::sync::Arc;

use tokio::task::yield_now;
use tracing::Instrument as _;

use super::{
    Subscriber, Topic,
    topic::{PUSH_CHUNK, State},
};
use crate::sync::MutexGuard;

/// How many members are written to before other tasks run: about half a millisecond.
const WRITE_CHUNK: usize = if cfg!(test) { 2 } else { 256 };

/// A topic whose members have frames queued.
pub(crate) trait Flush: Send + Sync {
    /// Writes the first chunk of members, and the rest in a task of its own.
    fn flush(self: Arc<Self>);

    /// Writes all members in a task of its own.
    fn flush_later(self: Arc<Self>);
}

impl<M: ?Sized + Subscriber + 'static> Flush for Topic<M> {
    fn flush(self: Arc<Self>) {
        let next = if self.start_flush() { self.flush_chunk(0, &mut Vec::new()) } else { None };
        self.flush_from(next);
    }

    fn flush_later(self: Arc<Self>) {
        let next = self.start_flush().then_some(0);
        self.flush_from(next);
    }
}

impl<M: ?Sized + Subscriber + 'static> Topic<M> {
    fn flush_from(self: Arc<Self>, next: Option<usize>) {
        let mut rest = Rest { topic: self, next, chunk: Vec::new() };
        if rest.next.is_some() && tokio::runtime::Handle::try_current().is_ok() {
            let task = async move {
                while let Some(start) = rest.next {
                    // Other tasks run between chunks, including those that publish more.
                    yield_now().await;
                    rest.next = rest.topic.flush_chunk(start, &mut rest.chunk);
                }
            };
            tokio::spawn(task.in_current_span());
        }
    }
}

impl<M: ?Sized + Subscriber> Topic<M> {
    /// Returns `false` if another flush is running, which also writes what is queued now.
    fn start_flush(&self) -> bool {
        let mut state = self.state.lock();
        if state.flushing {
            return false;
        }
        (state.flushing, state.again) = (true, false);
        true
    }

    /// Writes a chunk of the members from this key on. Returns the key to continue from, unless
    /// the flush is complete.
    fn flush_chunk(&self, start: usize, chunk: &mut Vec<Arc<M>>) -> Option<usize> {
        let (next, mut state) = self.members_with_queue(start, chunk);
        let mut is_sparse = false;
        let next = next.or_else(|| {
            // Between passes over the members, those that a flush kept from moving can move.
            state.flushing = false;
            is_sparse = state.compact(self);
            state.flushing = std::mem::take(&mut state.again);
            state.flushing.then_some(0)
        });
        drop(state);
        // No lock is held while writing.
        chunk.drain(..).for_each(|subscriber| subscriber.outbox().flush());
        if is_sparse && next.is_none() {
            self.compact();
        }
        next
    }

    /// Completes a flush whose task was dropped: writes the members from this key on, then wakes
    /// the tasks of members with newer frames.
    fn flush_last(&self, start: usize, chunk: &mut Vec<Arc<M>>) {
        let mut next = Some(start);
        while let Some(start) = next {
            let (then, state) = self.members_with_queue(start, chunk);
            next = then;
            drop(state);
            chunk.drain(..).for_each(|subscriber| subscriber.outbox().flush());
        }
        let mut state = self.state.lock();
        // From now on each publish starts a new flush.
        state.flushing = false;
        next = std::mem::take(&mut state.again).then_some(0);
        drop(state);
        while let Some(start) = next {
            let (then, state) = self.members_with_queue(start, chunk);
            next = then;
            drop(state);
            chunk.drain(..).for_each(|subscriber| subscriber.outbox().wake_owner());
        }
        self.compact();
    }

    /// Copies a chunk of the members from this key on that have something queued. Returns the key
    /// to continue from, if there are more.
    fn members_with_queue(&self, start: usize, chunk: &mut Vec<Arc<M>>) -> (Option<usize>, MutexGuard<'_, State<M>>) {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start + PUSH_CHUNK);
        let mut next = last;
        for (key, _, subscriber) in state.between(start, last) {
            if chunk.len() == WRITE_CHUNK {
                next = key;
                break;
            }
            if subscriber.outbox().has_queued() {
                chunk.push(Arc::clone(subscriber));
            }
        }
        ((next < end).then_some(next), state)
    }
}

/// The rest of a flush. If it is dropped early, as without a runtime or when the runtime shuts
/// down, it completes synchronously: writing never waits.
struct Rest<M: ?Sized + Subscriber> {
    topic: Arc<Topic<M>>,
    next: Option<usize>,
    chunk: Vec<Arc<M>>,
}

impl<M: ?Sized + Subscriber> Drop for Rest<M> {
    fn drop(&mut self) {
        if let Some(start) = self.next {
            self.topic.flush_last(start, &mut self.chunk);
        }
    }
}
