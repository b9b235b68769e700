//! Waiting for queued frames to be written.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{Outbox, Sink};

/// The condition of a [`Wait`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// At most half of the limit is queued.
    Room,
    /// Everything pushed so far has been written.
    Flushed,
    /// This position, in bytes pushed since the beginning, has been written.
    Written(u64),
    /// The connection is closed or closing.
    Closed,
}

/// The target of [`Until::Closed`], which no queue reaches.
const NEVER: u64 = u64::MAX;

/// The futures that wait, each from its first poll until it is dropped. The list exists only while
/// there are any.
#[derive(Debug, Default)]
pub(super) struct Waiters(Option<Box<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    /// By ascending id.
    list: Vec<Waiter>,
    next: u64,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    /// `None` after it was taken to be woken, until the next poll.
    waker: Option<Waker>,
    /// The position that must have been written; `None` to wait for room.
    target: Option<u64>,
}

impl Waiters {
    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiter> {
        self.0.iter_mut().flat_map(|waiting| &mut waiting.list)
    }

    fn get_mut(&mut self, id: u64) -> Option<&mut Waiter> {
        let list = &mut self.0.as_mut()?.list;
        let index = list.binary_search_by_key(&id, |waiter| waiter.id).ok()?;
        list.get_mut(index)
    }

    fn insert(&mut self, waker: Option<Waker>, target: Option<u64>) -> u64 {
        let waiting = self.0.get_or_insert_default();
        let id = waiting.next;
        waiting.next += 1;
        waiting.list.push(Waiter { id, waker, target });
        id
    }

    /// Removes a waiter. The returned waker must be dropped without holding the lock.
    fn remove(&mut self, id: u64) -> Option<Waker> {
        let waiting = self.0.as_mut()?;
        let index = waiting.list.binary_search_by_key(&id, |waiter| waiter.id).ok()?;
        let removed = waiting.list.remove(index);
        if waiting.list.is_empty() {
            self.0 = None;
        }
        removed.waker
    }

    /// Moves all targets back, after a frame was pushed ahead of them.
    pub(super) fn put_off(&mut self, cost: u64) {
        for target in self.iter_mut().filter_map(|waiter| waiter.target.as_mut()) {
            *target = target.saturating_add(cost);
        }
    }

    /// Takes the wakers of those whose condition holds, to be woken without holding the lock.
    ///
    /// If the queue is empty, every target is reached: dropped frames are never written.
    pub(super) fn ready(&mut self, written: u64, has_room: bool, is_empty: bool) -> Vec<Waker> {
        let ready = |waiter: &&mut Waiter| {
            waiter.target.map_or(has_room, |target| target != NEVER && (is_empty || written >= target))
        };
        self.iter_mut().filter(ready).filter_map(|waiter| waiter.waker.take()).collect()
    }

    pub(super) fn all(&mut self) -> Vec<Waker> {
        self.iter_mut().filter_map(|waiter| waiter.waker.take()).collect()
    }
}

/// A future that completes with `true` once the condition holds, or with `false` once the
/// connection is closing.
#[derive(Debug)]
pub(crate) struct Wait<'a, S: Sink> {
    outbox: &'a Outbox<S>,
    until: Until,
    /// Set at the first poll.
    id: Option<u64>,
}

impl<'a, S: Sink> Wait<'a, S> {
    pub(super) fn new(outbox: &'a Outbox<S>, until: Until) -> Self {
        Self { outbox, until, id: None }
    }
}

impl<S: Sink> Outbox<S> {
    /// Returns the bytes pushed since the beginning.
    pub(crate) fn pushed_so_far(&self) -> u64 {
        self.state.lock().pushed
    }

    /// Returns the bytes written since the beginning.
    pub(crate) fn written_so_far(&self) -> u64 {
        self.state.lock().written
    }

    /// Returns the bytes written, whether more is queued, and whether the sink is blocked.
    pub(crate) fn progress(&self) -> (u64, bool, bool) {
        let state = self.state.lock();
        (state.written, state.queued_bytes() > 0, state.is_behind())
    }
}

impl<S: Sink> Future for Wait<'_, S> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        // Wakers are foreign code: cloned before the lock is taken, dropped after it is released.
        let mut waker = Some(cx.waker().clone());
        let mut state = self.outbox.state.lock();
        if state.is_over() {
            return Poll::Ready(false);
        }
        let (has_room, pushed, written) = (state.has_room(), state.pushed, state.written);
        let is_reached = pushed == written || (self.until == Until::Room && has_room);
        if is_reached && self.until != Until::Closed {
            return Poll::Ready(true);
        }
        if let Some(waiter) = self.id.and_then(|id| state.waiters.get_mut(id)) {
            if waiter.target.is_some_and(|target| written >= target) {
                return Poll::Ready(true);
            }
            std::mem::swap(&mut waiter.waker, &mut waker);
        } else {
            let target = match self.until {
                Until::Room => None,
                Until::Flushed => Some(pushed),
                Until::Written(position) => Some(position),
                Until::Closed => Some(NEVER),
            };
            if target.is_some_and(|target| written >= target) {
                return Poll::Ready(true);
            }
            let id = state.waiters.insert(waker.take(), target);
            drop(state);
            self.id = Some(id);
        }
        Poll::Pending
    }
}

impl<S: Sink> Drop for Wait<'_, S> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let waker = self.outbox.state.lock().waiters.remove(id);
            drop(waker);
        }
    }
}
