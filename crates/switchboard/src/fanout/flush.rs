//! Writing what was queued for a topic's members.

use std::sync::Arc;

use tokio::task::yield_now;
use tracing::Instrument as _;

use super::{
    Subscriber, Topic,
    topic::{PUSH_CHUNK, State},
};
use crate::sync::MutexGuard;

/// How many members are written to in one go: about half a millisecond.
const WRITE_CHUNK: usize = if cfg!(test) { 2 } else { 256 };

/// Something whose members have frames queued.
pub(crate) trait Flush: Send + Sync {
    /// Writes what members have queued. Goes on in a task of its own if there are many.
    fn flush(self: Arc<Self>);

    /// The same, all of it in a task of its own.
    fn flush_later(self: Arc<Self>);
}

impl<M: ?Sized + Subscriber + 'static> Flush for Topic<M> {
    fn flush(self: Arc<Self>) {
        let next = if self.start_flush() { self.flush_portion(0, &mut Vec::new()) } else { None };
        self.flush_from(next);
    }

    fn flush_later(self: Arc<Self>) {
        let next = self.start_flush().then_some(0);
        self.flush_from(next);
    }
}

impl<M: ?Sized + Subscriber + 'static> Topic<M> {
    fn flush_from(self: Arc<Self>, next: Option<usize>) {
        let mut rest = Rest { topic: self, next, portion: Vec::new() };
        if rest.next.is_some() && tokio::runtime::Handle::try_current().is_ok() {
            let task = async move {
                while let Some(start) = rest.next {
                    // Other tasks run in between, also those that publish more.
                    yield_now().await;
                    rest.next = rest.topic.flush_portion(start, &mut rest.portion);
                }
            };
            tokio::spawn(task.in_current_span());
        }
    }
}

impl<M: ?Sized + Subscriber> Topic<M> {
    /// `false` if another flush is running, which then writes what is queued now as well.
    fn start_flush(&self) -> bool {
        let mut state = self.state.lock();
        if state.flushing {
            return false;
        }
        (state.flushing, state.again) = (true, false);
        true
    }

    /// Writes to the members from this key on. The key to go on from, unless all is done.
    fn flush_portion(&self, start: usize, portion: &mut Vec<Arc<M>>) -> Option<usize> {
        let (next, mut state) = self.waiting_members(start, portion);
        let mut is_sparse = false;
        let next = next.or_else(|| {
            // Members that could not move until now may: no flush is past any key.
            state.flushing = false;
            is_sparse = state.compact(self);
            state.flushing = std::mem::take(&mut state.again);
            state.flushing.then_some(0)
        });
        drop(state);
        // Nothing is locked while writing.
        portion.drain(..).for_each(|subscriber| subscriber.outbox().flush());
        if is_sparse && next.is_none() {
            self.compact();
        }
        next
    }

    /// Ends a flush that nothing goes on with: writes to the members from this key on, and has the
    /// tasks of those that got something since write that.
    fn flush_last(&self, start: usize, portion: &mut Vec<Arc<M>>) {
        let mut next = Some(start);
        while let Some(start) = next {
            let (then, state) = self.waiting_members(start, portion);
            next = then;
            drop(state);
            portion.drain(..).for_each(|subscriber| subscriber.outbox().flush());
        }
        let mut state = self.state.lock();
        // From now on each publish flushes by itself.
        state.flushing = false;
        next = std::mem::take(&mut state.again).then_some(0);
        drop(state);
        while let Some(start) = next {
            let (then, state) = self.waiting_members(start, portion);
            next = then;
            drop(state);
            portion.drain(..).for_each(|subscriber| subscriber.outbox().wake_owner());
        }
        self.compact();
    }

    /// A portion of the members from this key on with something queued, and the key to go on from.
    fn waiting_members(&self, start: usize, portion: &mut Vec<Arc<M>>) -> (Option<usize>, MutexGuard<'_, State<M>>) {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start + PUSH_CHUNK);
        let mut next = last;
        for (key, _, subscriber) in state.between(start, last) {
            if portion.len() == WRITE_CHUNK {
                next = key;
                break;
            }
            if subscriber.outbox().has_queued() {
                portion.push(Arc::clone(subscriber));
            }
        }
        ((next < end).then_some(next), state)
    }
}

/// What is left of a flush. Dropped before its end, as without a runtime or with the one that it ran
/// on, it ends at once: writing does not wait.
struct Rest<M: ?Sized + Subscriber> {
    topic: Arc<Topic<M>>,
    next: Option<usize>,
    portion: Vec<Arc<M>>,
}

impl<M: ?Sized + Subscriber> Drop for Rest<M> {
    fn drop(&mut self) {
        if let Some(start) = self.next {
            self.topic.flush_last(start, &mut self.portion);
        }
    }
}
