//! A topic and its members.
//!
//! Publishing first queues the frame for every member, under the topic's lock, and then writes. The
//! order of messages is thus fixed before the publish returns, and any thread can write later, in
//! chunks.
//!
//! In a very large topic, queueing goes in chunks as well: `chunked` keeps the order, and
//! memberships are numbered, so that one that begins meanwhile does not get the message.

use std::{
    collections::HashMap,
    ops::{Deref, Range},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::sync::Mutex as PublishQueue;

use super::{Slab, Subscriber};
use crate::{
    outbox::{FlushBy, Pushed},
    shrink::shrink,
    sync::{Mutex, MutexGuard},
    wire::{Frame, Variants},
};

/// How many members are copied at once for the application to iterate over.
const VIEW_CHUNK: usize = if cfg!(test) { 2 } else { 256 };

/// How many members a message is queued for before the task yields: less than a millisecond.
pub(crate) const PUSH_CHUNK: usize = if cfg!(test) { 4 } else { 16 * 1024 };

pub(crate) struct Topic<M: ?Sized + Subscriber> {
    name: Arc<str>,
    rule: Option<Arc<M::Rule>>,
    pub(super) state: Mutex<State<M>>,
    /// A fair lock, held by a publish in chunks; others wait for it in order.
    publish_queue: OnceLock<Arc<PublishQueue<()>>>,
    /// How many publishes hold it or wait for it.
    waiting: AtomicUsize,
}

pub(super) struct State<M: ?Sized + Subscriber> {
    pub(super) members: Slab<Membership<M>>,
    /// The number of the next membership.
    numbers: u64,
    /// The filters of members, by key. A member with a filter gets only frames that passed it.
    #[expect(clippy::box_collection, reason = "most topics have no filters")]
    filters: Option<Box<HashMap<usize, M::Filter>>>,
    /// Whether a flush is running.
    pub(super) flushing: bool,
    /// Whether something was queued since the flush began.
    pub(super) again: bool,
    /// The number of running iterations in chunks. During one, no member's key changes.
    iterating: usize,
}

pub(super) struct Membership<M: ?Sized> {
    /// `None` once the connection is closing: it gets no further messages.
    subscriber: Option<Arc<M>>,
    /// Unique in this topic, also among memberships of the same connection.
    number: u64,
}

impl<M: ?Sized + Subscriber> Default for State<M> {
    fn default() -> Self {
        Self { members: Slab::default(), numbers: 0, filters: None, flushing: false, again: false, iterating: 0 }
    }
}

impl<M: ?Sized + Subscriber> State<M> {
    /// Returns the members with keys from `start` up to but excluding `end`.
    pub(super) fn between(&self, start: usize, end: usize) -> impl Iterator<Item = (usize, u64, &Arc<M>)> {
        (start..end).filter_map(|key| {
            let member = self.members.get(key)?;
            Some((key, member.number, member.subscriber.as_ref()?))
        })
    }

    /// Whether this membership still exists and receives messages.
    fn has(&self, key: usize, number: u64) -> bool {
        self.members.get(key).is_some_and(|member| member.number == number && member.subscriber.is_some())
    }

    /// Removes some of the empty slots, so that iterations need not pass them. Returns whether more
    /// can be removed.
    #[inline]
    pub(super) fn compact(&mut self, topic: &Topic<M>) -> bool {
        self.members.is_sparse() && self.iterating == 0 && self.move_members(topic)
    }

    fn move_members(&mut self, topic: &Topic<M>) -> bool {
        let Self { members, filters, flushing, .. } = self;
        members.compact(|member, from, to| {
            // A closing connection is removed soon.
            let Some(subscriber) = &member.subscriber else { return false };
            // A running flush may already have passed the key that this member would get.
            if *flushing && subscriber.outbox().has_queued() || !subscriber.moved(topic, from, to) {
                return false;
            }
            if let Some(filters) = filters
                && let Some(filter) = filters.remove(&from)
            {
                filters.insert(to, filter);
            }
            true
        })
    }
}

/// A collection whose members keep their keys while an [`IterGuard`] of it exists.
pub(crate) trait Iterable {
    fn begin_iteration(&self);

    fn end_iteration(&self);
}

impl<M: ?Sized + Subscriber> Iterable for Topic<M> {
    fn begin_iteration(&self) {
        self.state.lock().iterating += 1;
    }

    fn end_iteration(&self) {
        self.state.lock().iterating -= 1;
        self.compact();
    }
}

/// Keeps members from changing their keys until dropped, so that an iteration in chunks does not
/// miss a member.
pub(crate) struct IterGuard<T: Deref<Target: Iterable>>(T);

impl<T: Deref<Target: Iterable>> IterGuard<T> {
    pub(crate) fn begin(topic: T) -> Self {
        topic.begin_iteration();
        Self(topic)
    }
}

impl<T: Deref<Target: Iterable>> Deref for IterGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Deref<Target: Iterable>> Drop for IterGuard<T> {
    fn drop(&mut self) {
        self.0.end_iteration();
    }
}

/// A removed member, to be [finished](Self::finish) once no lock is held.
#[must_use]
pub(crate) struct Removed<M: ?Sized + Subscriber> {
    subscriber: Option<Arc<M>>,
    filter: Option<M::Filter>,
    is_last: bool,
}

impl<M: ?Sized + Subscriber> Removed<M> {
    pub(crate) fn has_filter(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether it was the topic's last member.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Writes what was published to it, since a flush no longer finds it. Drops its filter, which
    /// is application code.
    pub(crate) fn finish(self) {
        if let Some(subscriber) = &self.subscriber {
            subscriber.outbox().flush();
        }
    }
}

/// The result of a publish.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reached {
    /// How many members it was queued for.
    pub(crate) matched: usize,
    /// The queue of a member is more than half full.
    pub(crate) pressed: bool,
}

/// A copy of a member, for use without the topic's lock.
pub(crate) struct Member<M: ?Sized + Subscriber> {
    pub(crate) key: usize,
    /// The number of its membership.
    pub(crate) number: u64,
    pub(crate) subscriber: Arc<M>,
    pub(crate) filter: Option<M::Filter>,
}

impl<M: ?Sized + Subscriber> Topic<M> {
    pub(crate) fn new(name: Arc<str>, rule: Option<Arc<M::Rule>>) -> Self {
        Self {
            name,
            rule,
            state: Mutex::new(State::default()),
            publish_queue: OnceLock::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn rule(&self) -> Option<&Arc<M::Rule>> {
        self.rule.as_ref()
    }

    pub(crate) fn len(&self) -> usize {
        self.state.lock().members.len()
    }

    /// Copies a chunk of the members from key `start` on, without closing ones. Returns the key to
    /// continue from, if there are more.
    pub(crate) fn members_from(&self, start: usize, chunk: &mut Vec<Arc<M>>) -> Option<usize> {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start + VIEW_CHUNK);
        chunk.extend(state.between(start, last).map(|(_, _, subscriber)| Arc::clone(subscriber)));
        (last < end).then_some(last)
    }

    pub(crate) fn insert(&self, subscriber: Arc<M>, filter: Option<M::Filter>) -> usize {
        let mut state = self.state.lock();
        let number = state.numbers;
        state.numbers += 1;
        let key = state.members.insert(Membership { subscriber: Some(subscriber), number });
        if let Some(filter) = filter {
            state.filters.get_or_insert_default().insert(key, filter);
        }
        key
    }

    /// Whether any member has a filter.
    pub(crate) fn has_filters(&self) -> bool {
        self.state.lock().filters.is_some()
    }

    /// Stops sending to a member without removing it.
    pub(crate) fn retire(&self, key: usize) {
        let mut state = self.state.lock();
        let retired = state.members.get_mut(key).and_then(|member| member.subscriber.take());
        drop(state);
        // Dropped without the lock. What is queued is written or discarded by the member's task.
        drop(retired);
    }

    /// Removes a member: nothing more is queued for it.
    #[inline]
    pub(crate) fn remove(&self, key: usize) -> Removed<M> {
        let mut state = self.state.lock();
        let subscriber = state.members.remove(key).and_then(|member| member.subscriber);
        let mut filter = None;
        if let Some(filters) = &mut state.filters {
            filter = filters.remove(&key);
            if filters.is_empty() {
                state.filters = None;
            } else {
                shrink(filters);
            }
        }
        let is_last = state.members.len() == 0;
        if is_last {
            // The topic may still be referenced elsewhere: free its memory now.
            state.members = Slab::default();
        } else {
            state.compact(self);
        }
        Removed { subscriber, filter, is_last }
    }

    /// Removes empty slots that could not be removed earlier, releasing the lock between steps.
    pub(super) fn compact(&self) {
        while self.state.lock().compact(self) {}
    }

    /// Whether a publish must go in chunks of this size, or wait for another that does.
    pub(crate) fn is_large(&self, chunk: usize) -> bool {
        self.is_large_now(&self.state.lock(), chunk)
    }

    fn is_large_now(&self, state: &State<M>, chunk: usize) -> bool {
        state.members.end() > chunk || self.waiting.load(Relaxed) > 0
    }

    /// Returns the number of the next membership: a publish made now is for those below it.
    pub(crate) fn next_number(&self) -> u64 {
        self.state.lock().numbers
    }

    /// Returns the number of publishes that go in chunks or wait to.
    pub(crate) fn waiting(&self) -> &AtomicUsize {
        &self.waiting
    }

    pub(crate) fn publish_queue(&self) -> &Arc<PublishQueue<()>> {
        self.publish_queue.get_or_init(Arc::default)
    }

    /// Queues a frame for every member, for a subsequent [`flush`](super::Flush::flush). Returns
    /// `None` if that must go in chunks of this size.
    pub(crate) fn push(&self, frame: &Frame, except: Option<M::Id>, chunk: usize) -> Option<Reached> {
        let state = self.state.lock();
        if self.is_large_now(&state, chunk) {
            return None;
        }
        let mut reached = Reached::default();
        self.push_to_some(state, frame, except, 0..usize::MAX, u64::MAX, &mut reached);
        Some(reached)
    }

    /// Queues a frame for a chunk of the members from key `start` on, except memberships numbered
    /// `before` or higher. Returns the key to continue from, if there are more.
    ///
    /// The caller holds an [`IterGuard`].
    pub(crate) fn push_chunk(
        &self,
        frame: &Frame,
        except: Option<M::Id>,
        before: u64,
        start: usize,
        reached: &mut Reached,
    ) -> Option<usize> {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start.saturating_add(PUSH_CHUNK));
        self.push_to_some(state, frame, except, start..last, before, reached);
        (last < end).then_some(last)
    }

    fn push_to_some(
        &self,
        mut state: MutexGuard<'_, State<M>>,
        frame: &Frame,
        except: Option<M::Id>,
        keys: Range<usize>,
        before: u64,
        reached: &mut Reached,
    ) {
        let mut full: Vec<(usize, u64, Arc<M>, Frame)> = Vec::new();
        let mut variants = Variants::default();
        state.again = true;
        // A member with a filter subscribed after this publish began as one without filters.
        let filters = state.filters.as_deref();
        for (key, number, subscriber) in state.between(keys.start, keys.end.min(state.members.end())) {
            let is_for = number < before && except != Some(subscriber.id());
            if !is_for || filters.is_some_and(|filters| filters.contains_key(&key)) {
                continue;
            }
            let Some(frame) = subscriber.variant(frame, &mut variants) else { continue };
            let pushed = subscriber.outbox().push(frame.clone(), FlushBy::Caller);
            reached.matched += usize::from(pushed != Pushed::Closed);
            match pushed {
                Pushed::Queued | Pushed::WriteNow | Pushed::Closed => {}
                Pushed::AboveWatermark => reached.pressed = true,
                Pushed::NoRoom => full.push((key, number, Arc::clone(subscriber), frame)),
            }
        }
        if !full.is_empty() {
            reached.pressed = true;
            // As `IterGuard::begin` does: the members are looked up by key again.
            state.iterating += 1;
            drop(state);
            let guard = IterGuard(self);
            for (key, number, subscriber, frame) in full {
                guard.push_again(&frame, key, number, &subscriber);
            }
        }
    }

    /// Queues a frame for a member whose queue was full, after writing as much as its socket
    /// accepts.
    pub(crate) fn push_again(&self, frame: &Frame, key: usize, number: u64, subscriber: &M) {
        subscriber.check_size(frame);
        subscriber.write_early();
        subscriber.make_room(frame.cost());
        let state = self.state.lock();
        if state.has(key, number) {
            subscriber.outbox().push_anyway(frame.clone(), FlushBy::Owner);
            drop(state);
            subscriber.write_early();
        }
    }

    /// Copies the members in the next `slots` slots from key `start` on. Returns the key to
    /// continue from, if there are more.
    pub(crate) fn members(&self, start: usize, slots: usize, into: &mut Vec<Member<M>>) -> Option<usize> {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start.saturating_add(slots));
        into.extend(state.between(start, last).map(|(key, number, subscriber)| {
            let filter = state.filters.as_ref().and_then(|filters| filters.get(&key)).cloned();
            Member { key, number, subscriber: Arc::clone(subscriber), filter }
        }));
        (last < end).then_some(last)
    }

    /// Calls `push`, which queues a frame, for those that are still members. Followed by a
    /// [`flush`](super::Flush::flush).
    pub(crate) fn push_to<'a>(
        &self,
        members: impl IntoIterator<Item = &'a Member<M>>,
        mut push: impl FnMut(&'a Member<M>),
    ) where
        M: 'a,
    {
        let mut state = self.state.lock();
        state.again = true;
        for member in members {
            if state.has(member.key, member.number) {
                push(member);
            }
        }
    }
}
