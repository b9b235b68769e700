//! One topic and its members.
//!
//! A message is first put into every member's queue, under the topic's lock, and then written. So
//! the order of messages is that of the queues, which is settled before the publisher goes on, and
//! writing may take its time, in portions, by anyone. Only in a topic with very many members the
//! first step goes in portions, too: `large` sees to their order, and memberships are numbered, so
//! that one that begins meanwhile gets nothing of it.

use std::{
    collections::HashMap,
    ops::{Deref, Range},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::{sync::Mutex as Turnstile, task::yield_now};
use tracing::Instrument as _;

use super::{Filter, places::Places, room::give_room_back};
use crate::{
    conn::{AnyConn, ConnId, Promise, Pushed},
    sync::{Mutex, MutexGuard},
    transport::{Frame, Variants},
};

/// How many members are written to in one go: about half a millisecond.
const PORTION: usize = if cfg!(test) { 2 } else { 256 };

/// A message is put into so many queues before other tasks get their turn: less than a millisecond.
pub(super) const PUSH_PORTION: usize = if cfg!(test) { 4 } else { 16 * 1024 };

pub(crate) struct Topic {
    name: Box<str>,
    state: Mutex<State>,
    /// Held by whoever publishes in portions; those who wait for it go in order.
    turnstile: Arc<Turnstile<()>>,
    /// How many hold it or wait for it.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct State {
    members: Places<Membership>,
    /// How many memberships there have been: the number of the next.
    numbers: u64,
    /// What members let through, by their keys: those that stand here get only what was looked at.
    #[expect(clippy::box_collection, reason = "topics are small, and mostly have none")]
    filters: Option<Box<HashMap<usize, Filter>>>,
    /// Somebody is writing what members have queued.
    flushing: bool,
    /// Something was queued since that began.
    again: bool,
    /// So many go over the members in portions, or have their keys: nobody may get another.
    walks: usize,
}

struct Membership {
    /// `None` while the connection is being closed: it gets nothing any more.
    conn: Option<Arc<AnyConn>>,
    /// Unlike that of any other of this topic, earlier ones of the same connection included.
    number: u64,
}

impl State {
    /// The members with their keys, from this key on up to before that.
    fn between(&self, start: usize, end: usize) -> impl Iterator<Item = (usize, u64, &Arc<AnyConn>)> {
        (start..end).filter_map(|key| {
            let member = self.members.get(key)?;
            Some((key, member.number, member.conn.as_ref()?))
        })
    }

    /// Whether that membership has not ended.
    fn has(&self, key: usize, number: u64) -> bool {
        self.members.get(key).is_some_and(|member| member.number == number && member.conn.is_some())
    }

    /// Gives back some of the places where members have left, so that nobody has to walk over them.
    /// Whether there are more that can be given back.
    #[inline]
    fn tidy(&mut self, topic: &Topic) -> bool {
        self.members.is_untidy() && self.walks == 0 && self.move_members(topic)
    }

    fn move_members(&mut self, topic: &Topic) -> bool {
        let Self { members, filters, flushing, .. } = self;
        members.tidy(|member, from, to| {
            // One that is being closed is gone soon.
            let Some(conn) = &member.conn else { return false };
            // Whoever is writing to members may be beyond the place that this one would get.
            if *flushing && conn.outbox.has_queued() || !conn.moved(topic, from, to) {
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

/// Until this is dropped, members keep their keys, and who stays is met by whoever goes over them.
pub(super) struct Walk<T: Deref<Target = Topic>>(T);

impl<T: Deref<Target = Topic>> Walk<T> {
    pub(super) fn begin(topic: T) -> Self {
        topic.state.lock().walks += 1;
        Self(topic)
    }
}

impl<T: Deref<Target = Topic>> Deref for Walk<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Deref<Target = Topic>> Drop for Walk<T> {
    fn drop(&mut self) {
        self.0.state.lock().walks -= 1;
        self.0.tidy();
    }
}

/// A member was removed. What is left to do must not be done with anything locked.
#[must_use]
pub(crate) struct Removed {
    conn: Option<Arc<AnyConn>>,
    filter: Option<Filter>,
    is_last: bool,
}

impl Removed {
    pub(super) fn has_filter(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether the topic has no member any more.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Writes what was published to it: whoever was to do that may not find it any more. Drops its
    /// filter, which is the application's.
    pub(crate) fn finish(self) {
        if let Some(conn) = &self.conn {
            conn.outbox.flush();
        }
    }
}

/// What a publish came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reached {
    pub(super) matched: usize,
    /// The queue of a member is half full.
    pub(super) pressed: bool,
}

/// A member, copied out.
pub(super) struct Member {
    pub(super) key: usize,
    /// Of its membership.
    pub(super) number: u64,
    pub(super) conn: Arc<AnyConn>,
    pub(super) filter: Option<Filter>,
}

impl Topic {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            state: Mutex::new(State::default()),
            turnstile: Arc::default(),
            waiting: AtomicUsize::new(0),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn len(&self) -> usize {
        self.state.lock().members.len()
    }

    /// Takes a portion of those that are not being closed, from this key on. The key to go on from,
    /// unless that were all.
    pub(super) fn members_from(&self, start: usize, portion: &mut Vec<Arc<AnyConn>>) -> Option<usize> {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start + PORTION);
        portion.extend(state.between(start, last).map(|(_, _, conn)| Arc::clone(conn)));
        (last < end).then_some(last)
    }

    pub(crate) fn insert(&self, conn: Arc<AnyConn>, filter: Option<Filter>) -> usize {
        let mut state = self.state.lock();
        let number = state.numbers;
        state.numbers += 1;
        let key = state.members.insert(Membership { conn: Some(conn), number });
        if let Some(filter) = filter {
            state.filters.get_or_insert_default().insert(key, filter);
        }
        key
    }

    /// Whether a member has a filter of its own.
    pub(super) fn has_filters(&self) -> bool {
        self.state.lock().filters.is_some()
    }

    /// Sends nothing more to a member, which stays one.
    pub(super) fn retire(&self, key: usize) {
        let mut state = self.state.lock();
        let retired = state.members.get_mut(key).and_then(|member| member.conn.take());
        drop(state);
        // Its task is in its turn, and writes what is queued or forgets it.
        drop(retired);
    }

    /// Removes a member: nothing is queued for it any more.
    #[inline]
    pub(crate) fn remove(&self, key: usize) -> Removed {
        let mut state = self.state.lock();
        let conn = state.members.remove(key).and_then(|member| member.conn);
        let mut filter = None;
        if let Some(filters) = &mut state.filters {
            filter = filters.remove(&key);
            if filters.is_empty() {
                state.filters = None;
            } else {
                give_room_back(filters);
            }
        }
        let is_last = state.members.len() == 0;
        if is_last {
            // A topic that was large once and is handed out at this moment keeps no room.
            state.members = Places::default();
        } else {
            state.tidy(self);
        }
        Removed { conn, filter, is_last }
    }

    /// Gives back what could not be given back before: in steps, as others want the lock, too.
    fn tidy(&self) {
        while self.state.lock().tidy(self) {}
    }

    /// Whether a message has to go in portions of this size, or behind another that does.
    pub(super) fn is_large(&self, portion: usize) -> bool {
        self.is_large_now(&self.state.lock(), portion)
    }

    fn is_large_now(&self, state: &State, portion: usize) -> bool {
        state.members.end() > portion || self.waiting.load(Relaxed) > 0
    }

    /// The number of the first membership that what is published now is not for.
    pub(super) fn next_number(&self) -> u64 {
        self.state.lock().numbers
    }

    /// How many publishes go in portions or wait for their turn to.
    pub(super) fn waiting(&self) -> &AtomicUsize {
        &self.waiting
    }

    pub(super) fn turnstile(&self) -> &Arc<Turnstile<()>> {
        &self.turnstile
    }

    /// Puts the frame into every member's queue; to be followed by [`flush`](Self::flush). `None` if
    /// that has to go in portions of this size.
    pub(crate) fn push(&self, frame: &Frame, except: Option<ConnId>, portion: usize) -> Option<Reached> {
        let state = self.state.lock();
        if self.is_large_now(&state, portion) {
            return None;
        }
        let mut reached = Reached::default();
        self.push_to_some(state, frame, except, 0..usize::MAX, u64::MAX, &mut reached);
        Some(reached)
    }

    /// The same for the members from this key on, in a [`Walk`], but for memberships from this number
    /// on. The key to go on from, unless that were all.
    pub(super) fn push_portion(
        &self,
        frame: &Frame,
        except: Option<ConnId>,
        before: u64,
        start: usize,
        reached: &mut Reached,
    ) -> Option<usize> {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start.saturating_add(PUSH_PORTION));
        self.push_to_some(state, frame, except, start..last, before, reached);
        (last < end).then_some(last)
    }

    fn push_to_some(
        &self,
        mut state: MutexGuard<'_, State>,
        frame: &Frame,
        except: Option<ConnId>,
        keys: Range<usize>,
        before: u64,
        reached: &mut Reached,
    ) {
        let mut full: Vec<(usize, u64, Arc<AnyConn>, Frame)> = Vec::new();
        let mut variants = Variants::default();
        state.again = true;
        // A member with a filter came after the publish began, which is why there is nothing to ask
        // the filter about.
        let filters = state.filters.as_deref();
        for (key, number, conn) in state.between(keys.start, keys.end.min(state.members.end())) {
            let is_for = number < before && except != Some(conn.id);
            if !is_for || filters.is_some_and(|filters| filters.contains_key(&key)) {
                continue;
            }
            let Some(frame) = conn.variant(frame, &mut variants) else { continue };
            let pushed = conn.outbox.push(frame.clone(), Promise::Caller);
            reached.matched += usize::from(pushed != Pushed::Closed);
            match pushed {
                Pushed::Queued | Pushed::Ripe | Pushed::Closed => {}
                Pushed::Pressed => reached.pressed = true,
                Pushed::Full => full.push((key, number, Arc::clone(conn), frame)),
            }
        }
        if !full.is_empty() {
            reached.pressed = true;
            // They are found by their keys again.
            state.walks += 1;
            drop(state);
            let walk = Walk(self);
            for (key, number, conn, frame) in full {
                walk.push_again(&frame, key, number, &conn);
            }
        }
    }

    /// Once more to a member whose queue was full, writing first: what waits may fit into the socket.
    pub(super) fn push_again(&self, frame: &Frame, key: usize, number: u64, conn: &AnyConn) {
        conn.check_size(frame);
        conn.write_early();
        conn.make_room(frame.cost());
        let state = self.state.lock();
        if state.has(key, number) {
            conn.outbox.push_anyway(frame.clone(), Promise::Owner);
            drop(state);
            conn.write_early();
        }
    }

    /// The members from this key on, so many places of them, copied out. The key to go on from,
    /// unless those were all.
    pub(super) fn members(&self, start: usize, places: usize, into: &mut Vec<Member>) -> Option<usize> {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start.saturating_add(places));
        into.extend(state.between(start, last).map(|(key, number, conn)| {
            let filter = state.filters.as_ref().and_then(|filters| filters.get(&key)).cloned();
            Member { key, number, conn: Arc::clone(conn), filter }
        }));
        (last < end).then_some(last)
    }

    /// Calls `push` for those who are still members, which is to queue something; to be followed by
    /// [`flush`](Self::flush).
    pub(super) fn push_to<'a>(&self, members: impl IntoIterator<Item = &'a Member>, mut push: impl FnMut(&'a Member)) {
        let mut state = self.state.lock();
        state.again = true;
        for member in members {
            if state.has(member.key, member.number) {
                push(member);
            }
        }
    }

    /// Writes what members have queued. Goes on in a task of its own if there are many.
    pub(crate) fn flush(self: &Arc<Self>) {
        let next = if self.start_flush() { self.flush_portion(0, &mut Vec::new()) } else { None };
        self.flush_from(next);
    }

    /// The same, all of it in a task of its own.
    pub(crate) fn flush_later(self: &Arc<Self>) {
        self.flush_from(self.start_flush().then_some(0));
    }

    fn flush_from(self: &Arc<Self>, next: Option<usize>) {
        let mut rest = Flush { topic: Arc::clone(self), next, portion: Vec::new() };
        if rest.next.is_some() && tokio::runtime::Handle::try_current().is_ok() {
            let task = async move {
                while let Some(start) = rest.next {
                    // Let others run, also those that publish more.
                    yield_now().await;
                    rest.next = rest.topic.flush_portion(start, &mut rest.portion);
                }
            };
            tokio::spawn(task.in_current_span());
        }
    }

    /// `false` if somebody else is at it, who then goes on with what is queued now.
    fn start_flush(&self) -> bool {
        let mut state = self.state.lock();
        if state.flushing {
            return false;
        }
        (state.flushing, state.again) = (true, false);
        true
    }

    /// Writes to the members from this key on. The key to go on from, unless all is done.
    fn flush_portion(&self, start: usize, portion: &mut Vec<Arc<AnyConn>>) -> Option<usize> {
        let (next, mut state) = self.waiting_members(start, portion);
        let mut is_untidy = false;
        let next = next.or_else(|| {
            // Who could not move until now may: nobody is beyond any place.
            state.flushing = false;
            is_untidy = state.tidy(self);
            state.flushing = std::mem::take(&mut state.again);
            state.flushing.then_some(0)
        });
        drop(state);
        // Nothing is locked while writing.
        portion.drain(..).for_each(|conn| conn.outbox.flush());
        if is_untidy && next.is_none() {
            self.tidy();
        }
        next
    }

    /// Ends a flush that nothing goes on with: writes to the members from this key on, and has the
    /// tasks of those that got something since write that.
    fn flush_last(&self, start: usize, portion: &mut Vec<Arc<AnyConn>>) {
        let mut next = Some(start);
        while let Some(start) = next {
            let (then, state) = self.waiting_members(start, portion);
            next = then;
            drop(state);
            portion.drain(..).for_each(|conn| conn.outbox.flush());
        }
        let mut state = self.state.lock();
        // Others that publish write by themselves from now on.
        state.flushing = false;
        next = std::mem::take(&mut state.again).then_some(0);
        drop(state);
        while let Some(start) = next {
            let (then, state) = self.waiting_members(start, portion);
            next = then;
            drop(state);
            portion.drain(..).for_each(|conn| conn.outbox.wake_owner());
        }
        self.tidy();
    }

    /// A portion of the members from this key on with something queued, and the key to go on from.
    fn waiting_members(&self, start: usize, portion: &mut Vec<Arc<AnyConn>>) -> (Option<usize>, MutexGuard<'_, State>) {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start + PUSH_PORTION);
        let mut next = last;
        for (key, _, conn) in state.between(start, last) {
            if portion.len() == PORTION {
                next = key;
                break;
            }
            if conn.outbox.has_queued() {
                portion.push(Arc::clone(conn));
            }
        }
        ((next < end).then_some(next), state)
    }
}

/// What is left of a flush. Dropped before its end, as without a runtime or with the one that it ran
/// on, it ends at once: writing does not wait.
struct Flush {
    topic: Arc<Topic>,
    next: Option<usize>,
    portion: Vec<Arc<AnyConn>>,
}

impl Drop for Flush {
    fn drop(&mut self) {
        if let Some(start) = self.next {
            self.topic.flush_last(start, &mut self.portion);
        }
    }
}
