//! One topic and its members.
//!
//! A message is first put into every member's queue, under the topic's lock, and then written. So
//! the order of messages is that of the queues, which is settled before the publisher goes on, and
//! writing may take its time, in portions, by anyone. Only in a topic with very many members the
//! first step goes in portions, too: `chunked` sees to their order, and memberships are numbered, so
//! that one that begins meanwhile gets nothing of it.

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

/// How many members are taken at once for the application to see.
const VIEW_CHUNK: usize = if cfg!(test) { 2 } else { 256 };

/// How many queues a message is put into before the task yields: less than a millisecond.
pub(crate) const PUSH_CHUNK: usize = if cfg!(test) { 4 } else { 16 * 1024 };

pub(crate) struct Topic<M: ?Sized + Subscriber> {
    name: Arc<str>,
    rule: Option<Arc<M::Rule>>,
    pub(super) state: Mutex<State<M>>,
    /// Held by the publish that goes in chunks; others wait for it in order.
    publish_queue: OnceLock<Arc<PublishQueue<()>>>,
    /// How many hold it or wait for it.
    waiting: AtomicUsize,
}

pub(super) struct State<M: ?Sized + Subscriber> {
    pub(super) members: Slab<Membership<M>>,
    /// How many memberships there have been: the number of the next.
    numbers: u64,
    /// What members let through, by their keys: those that stand here get only what was looked at.
    #[expect(clippy::box_collection, reason = "topics are small, and mostly have none")]
    filters: Option<Box<HashMap<usize, M::Filter>>>,
    /// Whether a flush is running.
    pub(super) flushing: bool,
    /// Whether something was queued since it began.
    pub(super) again: bool,
    /// How many iterations in chunks there are. While there is one, no member's key changes.
    iterating: usize,
}

pub(super) struct Membership<M: ?Sized> {
    /// `None` while the connection is being closed: it gets nothing any more.
    subscriber: Option<Arc<M>>,
    /// Unlike that of any other of this topic, earlier ones of the same connection included.
    number: u64,
}

impl<M: ?Sized + Subscriber> Default for State<M> {
    fn default() -> Self {
        Self { members: Slab::default(), numbers: 0, filters: None, flushing: false, again: false, iterating: 0 }
    }
}

impl<M: ?Sized + Subscriber> State<M> {
    /// The members with their keys, from this key on up to before that.
    pub(super) fn between(&self, start: usize, end: usize) -> impl Iterator<Item = (usize, u64, &Arc<M>)> {
        (start..end).filter_map(|key| {
            let member = self.members.get(key)?;
            Some((key, member.number, member.subscriber.as_ref()?))
        })
    }

    /// Whether that membership has not ended.
    fn has(&self, key: usize, number: u64) -> bool {
        self.members.get(key).is_some_and(|member| member.number == number && member.subscriber.is_some())
    }

    /// Gives back some of the places where members have left, so that no iteration has to pass them.
    /// Whether there are more that can be given back.
    #[inline]
    pub(super) fn compact(&mut self, topic: &Topic<M>) -> bool {
        self.members.is_sparse() && self.iterating == 0 && self.move_members(topic)
    }

    fn move_members(&mut self, topic: &Topic<M>) -> bool {
        let Self { members, filters, flushing, .. } = self;
        members.compact(|member, from, to| {
            // One that is being closed is removed soon.
            let Some(subscriber) = &member.subscriber else { return false };
            // A running flush may have passed the key that this one would get.
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

/// Something whose members keep their keys while any [`IterGuard`] of it exists.
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

/// Until this is dropped, members keep their keys: each that stays is met by an iteration in chunks.
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

/// A member was removed. What is left to do must not be done with anything locked.
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

    /// Whether the topic has no member any more.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Writes what was published to it, since a flush does not find it any more. Drops its filter, which is
    /// the application's.
    pub(crate) fn finish(self) {
        if let Some(subscriber) = &self.subscriber {
            subscriber.outbox().flush();
        }
    }
}

/// What a publish came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reached {
    pub(crate) matched: usize,
    /// The queue of a member is half full.
    pub(crate) pressed: bool,
}

/// A member, copied out.
pub(crate) struct Member<M: ?Sized + Subscriber> {
    pub(crate) key: usize,
    /// Of its membership.
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

    /// Takes a portion of those that are not being closed, from this key on. The key to go on from,
    /// unless that were all.
    pub(crate) fn members_from(&self, start: usize, portion: &mut Vec<Arc<M>>) -> Option<usize> {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start + VIEW_CHUNK);
        portion.extend(state.between(start, last).map(|(_, _, subscriber)| Arc::clone(subscriber)));
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

    /// Whether a member has a filter of its own.
    pub(crate) fn has_filters(&self) -> bool {
        self.state.lock().filters.is_some()
    }

    /// Sends nothing more to a member, which stays one.
    pub(crate) fn retire(&self, key: usize) {
        let mut state = self.state.lock();
        let retired = state.members.get_mut(key).and_then(|member| member.subscriber.take());
        drop(state);
        // Its task is in its turn, and writes what is queued or forgets it.
        drop(retired);
    }

    /// Removes a member: nothing is queued for it any more.
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
            // A topic that was large once and is handed out at this moment keeps no room.
            state.members = Slab::default();
        } else {
            state.compact(self);
        }
        Removed { subscriber, filter, is_last }
    }

    /// Gives back what could not be given back before, in steps, since others need the lock, too.
    pub(super) fn compact(&self) {
        while self.state.lock().compact(self) {}
    }

    /// Whether a message has to go in portions of this size, or behind another that does.
    pub(crate) fn is_large(&self, portion: usize) -> bool {
        self.is_large_now(&self.state.lock(), portion)
    }

    fn is_large_now(&self, state: &State<M>, portion: usize) -> bool {
        state.members.end() > portion || self.waiting.load(Relaxed) > 0
    }

    /// The number of the first membership that what is published now is not for.
    pub(crate) fn next_number(&self) -> u64 {
        self.state.lock().numbers
    }

    /// How many publishes go in chunks, or wait to.
    pub(crate) fn waiting(&self) -> &AtomicUsize {
        &self.waiting
    }

    pub(crate) fn publish_queue(&self) -> &Arc<PublishQueue<()>> {
        self.publish_queue.get_or_init(Arc::default)
    }

    /// Puts the frame into every member's queue; to be followed by [`flush`](Self::flush). `None` if
    /// that has to go in portions of this size.
    pub(crate) fn push(&self, frame: &Frame, except: Option<M::Id>, portion: usize) -> Option<Reached> {
        let state = self.state.lock();
        if self.is_large_now(&state, portion) {
            return None;
        }
        let mut reached = Reached::default();
        self.push_to_some(state, frame, except, 0..usize::MAX, u64::MAX, &mut reached);
        Some(reached)
    }

    /// The same for the members from this key on, under an [`IterGuard`], but for memberships from this number
    /// on. The key to go on from, unless that were all.
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
        // A member with a filter came after the publish began, which is why there is nothing to ask
        // the filter about.
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
            // They are found by their keys again.
            state.iterating += 1;
            drop(state);
            let guard = IterGuard(self);
            for (key, number, subscriber, frame) in full {
                guard.push_again(&frame, key, number, &subscriber);
            }
        }
    }

    /// Once more to a member whose queue was full, writing first: what waits may fit into the socket.
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

    /// The members from this key on, so many places of them, copied out. The key to go on from,
    /// unless those were all.
    pub(crate) fn members(&self, start: usize, places: usize, into: &mut Vec<Member<M>>) -> Option<usize> {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start.saturating_add(places));
        into.extend(state.between(start, last).map(|(key, number, subscriber)| {
            let filter = state.filters.as_ref().and_then(|filters| filters.get(&key)).cloned();
            Member { key, number, subscriber: Arc::clone(subscriber), filter }
        }));
        (last < end).then_some(last)
    }

    /// Calls `push` for those who are still members, which is to queue something; to be followed by
    /// [`flush`](Self::flush).
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
