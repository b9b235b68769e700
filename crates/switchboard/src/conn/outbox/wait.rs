//! Waiting for a queue to get shorter.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{Outbox, Sink};

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// At most half of the limit waits.
    Room,
    /// All that was pushed so far has left.
    Flushed,
    /// So much of all that was ever pushed has left.
    Written(u64),
}

/// Who waits. Each stands here from its first poll until it is dropped. Mostly nobody does, and then
/// there is no list.
#[derive(Debug, Default)]
pub(super) struct Waiters(Option<Box<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    list: Vec<Waiter>,
    next: u64,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    waker: Waker,
    /// How much must have been written; `None` to wait for room.
    target: Option<u64>,
}

impl Waiters {
    fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.0.iter().flat_map(|waiting| &waiting.list)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiter> {
        self.0.iter_mut().flat_map(|waiting| &mut waiting.list)
    }

    fn insert(&mut self, waker: &Waker, target: Option<u64>) -> u64 {
        let waiting = self.0.get_or_insert_default();
        let id = waiting.next;
        waiting.next += 1;
        waiting.list.push(Waiter { id, waker: waker.clone(), target });
        id
    }

    fn remove(&mut self, id: u64) {
        if let Some(waiting) = &mut self.0 {
            waiting.list.retain(|waiter| waiter.id != id);
            if waiting.list.is_empty() {
                self.0 = None;
            }
        }
    }

    /// So much was pushed ahead of all that they wait for.
    pub(super) fn put_off(&mut self, cost: u64) {
        for target in self.iter_mut().filter_map(|waiter| waiter.target.as_mut()) {
            *target += cost;
        }
    }

    /// Those whose condition holds.
    /// With nothing waiting any more, all hold: of what was pushed, some may have been dropped.
    pub(super) fn ready(&self, written: u64, has_room: bool, is_empty: bool) -> Vec<Waker> {
        let ready = |waiter: &&Waiter| waiter.target.map_or(has_room, |target| is_empty || written >= target);
        self.iter().filter(ready).map(|waiter| waiter.waker.clone()).collect()
    }

    pub(super) fn all(&self) -> Vec<Waker> {
        self.iter().map(|waiter| waiter.waker.clone()).collect()
    }
}

/// Ready with `true` once the condition holds, with `false` once the connection is closing.
#[derive(Debug)]
pub(crate) struct Wait<'a, S: Sink> {
    outbox: &'a Outbox<S>,
    until: Until,
    /// Once it has been polled.
    id: Option<u64>,
}

impl<'a, S: Sink> Wait<'a, S> {
    pub(super) fn new(outbox: &'a Outbox<S>, until: Until) -> Self {
        Self { outbox, until, id: None }
    }
}

/// How far writing has come.
impl<S: Sink> Outbox<S> {
    /// How much was ever pushed, and how much of that has left.
    pub(crate) fn pushed_so_far(&self) -> u64 {
        self.state.lock().pushed
    }

    pub(crate) fn written_so_far(&self) -> u64 {
        self.state.lock().written
    }

    /// How much has left, whether more waits, and whether the sink takes no more at the moment.
    pub(crate) fn progress(&self) -> (u64, bool, bool) {
        let state = self.state.lock();
        (state.written, state.waits() > 0, state.is_behind())
    }
}

impl<S: Sink> Future for Wait<'_, S> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.outbox.state.lock();
        if state.is_over() {
            return Poll::Ready(false);
        }
        let (has_room, pushed, written) = (state.has_room(), state.pushed, state.written);
        if pushed == written || (self.until == Until::Room && has_room) {
            return Poll::Ready(true);
        }
        let known = self.id.and_then(|id| state.waiters.iter_mut().find(|waiter| waiter.id == id));
        match known {
            Some(waiter) => {
                if waiter.target.is_some_and(|target| written >= target) {
                    return Poll::Ready(true);
                }
                waiter.waker.clone_from(cx.waker());
            }
            None => {
                let target = match self.until {
                    Until::Room => None,
                    Until::Flushed => Some(pushed),
                    Until::Written(position) => Some(position),
                };
                if target.is_some_and(|target| written >= target) {
                    return Poll::Ready(true);
                }
                let id = state.waiters.insert(cx.waker(), target);
                drop(state);
                self.id = Some(id);
            }
        }
        Poll::Pending
    }
}

impl<S: Sink> Drop for Wait<'_, S> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.outbox.state.lock().waiters.remove(id);
        }
    }
}
