//! One topic and its members.
//!
//! A message is first put into every member's queue, under the topic's lock, and then written. So
//! the order of messages is that of the queues, which is settled before the publisher goes on, and
//! writing may take its time, in portions, by anyone. Only in a topic with very many members the
//! first step goes in portions, too: `large` sees to their order.

use std::{
    collections::HashMap,
    ops::Deref,
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
    sync::Mutex,
    transport::{Frame, Variants},
};

/// So many members are written to before other tasks get their turn: about half a millisecond.
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
    /// `None` for one that is being closed: it gets nothing any more.
    members: Places<Option<Arc<AnyConn>>>,
    /// What members let through, by their keys: those that stand here get only what was looked at.
    #[expect(clippy::box_collection, reason = "topics are small, and mostly have none")]
    filters: Option<Box<HashMap<usize, Filter>>>,
    /// How many are not being closed.
    active: usize,
    /// Somebody is writing what members have queued.
    flushing: bool,
    /// Something was queued since that began.
    again: bool,
    /// So many go over the members in portions, or have their keys: nobody may get another.
    walks: usize,
}

impl State {
    /// Whether that is still a member, and has not left and come back with another filter.
    fn has(&self, key: usize, conn: &Arc<AnyConn>, filter: Option<&Filter>) -> bool {
        matches!(self.members.get(key), Some(Some(member)) if Arc::ptr_eq(member, conn))
            && self.filters.as_ref().and_then(|filters| filters.get(&key)) == filter
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
            let Some(conn) = member else { return false };
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

/// A member, copied out.
pub(super) struct Member {
    pub(super) key: usize,
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
        portion.extend((start..last).filter_map(|key| state.members.get(key)?.clone()));
        (last < end).then_some(last)
    }

    pub(crate) fn insert(&self, conn: Arc<AnyConn>, filter: Option<Filter>) -> usize {
        let mut state = self.state.lock();
        state.active += 1;
        let key = state.members.insert(Some(conn));
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
        let retired = state.members.get_mut(key).and_then(Option::take);
        state.active -= usize::from(retired.is_some());
        drop(state);
        // Its task is in its turn, and writes what is queued or forgets it.
        drop(retired);
    }

    /// Removes a member: nothing is queued for it any more.
    #[inline]
    pub(crate) fn remove(&self, key: usize) -> Removed {
        let mut state = self.state.lock();
        let conn = state.members.remove(key).flatten();
        state.active -= usize::from(conn.is_some());
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

    /// How many a message reaches, and whether it has to go in portions of this size, or behind
    /// another that does.
    pub(super) fn reach(&self, portion: usize) -> (usize, bool) {
        let state = self.state.lock();
        let large = state.members.end() > portion || self.waiting.load(Relaxed) > 0;
        (state.active, large)
    }

    /// How many publishes go in portions or wait for their turn to.
    pub(super) fn waiting(&self) -> &AtomicUsize {
        &self.waiting
    }

    pub(super) fn turnstile(&self) -> &Arc<Turnstile<()>> {
        &self.turnstile
    }

    /// Puts the frame into every member's queue; to be followed by [`flush`](Self::flush). Whether
    /// the queue of one is half full.
    pub(crate) fn push(&self, frame: &Frame, except: Option<ConnId>) -> bool {
        let mut pressed = false;
        self.push_to_some(frame, except, 0, usize::MAX, &mut pressed);
        pressed
    }

    /// The same for the members from this key on, in a [`Walk`]. The key to go on from, unless that
    /// were all.
    pub(super) fn push_portion(
        &self,
        frame: &Frame,
        except: Option<ConnId>,
        start: usize,
        pressed: &mut bool,
    ) -> Option<usize> {
        self.push_to_some(frame, except, start, PUSH_PORTION, pressed)
    }

    fn push_to_some(
        &self,
        frame: &Frame,
        except: Option<ConnId>,
        start: usize,
        places: usize,
        pressed: &mut bool,
    ) -> Option<usize> {
        let (mut full, mut variants) = (Vec::new(), Variants::default());
        let mut state = self.state.lock();
        state.again = true;
        // Only a portion of a large topic needs the detour over its keys.
        let end = state.members.end();
        let last = end.min(start.saturating_add(places));
        // What those would let through is not known here: they came when this was on its way.
        let filters = state.filters.as_deref();
        let mut push = |key: usize, conn: &Arc<AnyConn>| {
            if except == Some(conn.id) || filters.is_some_and(|filters| filters.contains_key(&key)) {
                return;
            }
            let Some(frame) = conn.variant(frame, &mut variants) else { return };
            match conn.outbox.push(frame.clone(), Promise::Caller) {
                Pushed::Queued | Pushed::Ripe | Pushed::Closed => {}
                Pushed::Pressed => *pressed = true,
                Pushed::Full => full.push((key, Arc::clone(conn), frame)),
            }
        };
        if start == 0 && end <= places {
            state.members.iter().for_each(|(key, conn)| {
                if let Some(conn) = conn {
                    push(key, conn);
                }
            });
        } else {
            for key in start..last {
                if let Some(Some(conn)) = state.members.get(key) {
                    push(key, conn);
                }
            }
        }
        if !full.is_empty() {
            *pressed = true;
            // They are found by their keys again.
            state.walks += 1;
            drop(state);
            let walk = Walk(self);
            for (key, conn, frame) in full {
                walk.push_again(&frame, key, &conn, None);
            }
        }
        (last < end).then_some(last)
    }

    /// Once more to a member whose queue was full, frame by frame, writing in between: what waits
    /// may fit into the socket, and of a run each frame by itself into the queue.
    pub(super) fn push_again(&self, frame: &Frame, key: usize, conn: &Arc<AnyConn>, filter: Option<&Filter>) {
        let mut rest = Some(frame.clone());
        while let Some(run) = rest {
            let (first, behind) = run.split_after(0);
            rest = behind;
            conn.check_size(&first);
            conn.write_early();
            conn.make_room(first.cost());
            let state = self.state.lock();
            let stays = state.has(key, conn, filter);
            if !stays || conn.outbox.push_anyway(first, Promise::Owner) == Pushed::Closed {
                return;
            }
        }
        conn.write_early();
    }

    /// The members from this key on, so many places of them, copied out. The key to go on from,
    /// unless those were all.
    pub(super) fn members(&self, start: usize, places: usize, into: &mut Vec<Member>) -> Option<usize> {
        let state = self.state.lock();
        let end = state.members.end();
        let last = end.min(start.saturating_add(places));
        for key in start..last {
            if let Some(Some(conn)) = state.members.get(key) {
                let filter = state.filters.as_ref().and_then(|filters| filters.get(&key)).cloned();
                into.push(Member { key, conn: Arc::clone(conn), filter });
            }
        }
        (last < end).then_some(last)
    }

    /// Calls `push` for those who are still members, which is to queue something; to be followed by
    /// [`flush`](Self::flush).
    pub(super) fn push_to<'a>(&self, members: impl IntoIterator<Item = &'a Member>, mut push: impl FnMut(&'a Member)) {
        let mut state = self.state.lock();
        state.again = true;
        for member in members {
            if state.has(member.key, &member.conn, member.filter.as_ref()) {
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
                while rest.next.is_some() {
                    // Let others run, also those that publish more.
                    yield_now().await;
                    rest.portion();
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
        let mut state = self.state.lock();
        let mut next = start;
        let end = state.members.end();
        let last = end.min(start + PUSH_PORTION);
        while next < last && portion.len() < PORTION {
            if let Some(Some(conn)) = state.members.get(next)
                && conn.outbox.has_queued()
            {
                portion.push(Arc::clone(conn));
            }
            next += 1;
        }
        let mut is_untidy = false;
        let next = if next < end {
            Some(next)
        } else {
            // Who could not move until now may: nobody is beyond any place.
            state.flushing = false;
            is_untidy = state.tidy(self);
            state.flushing = std::mem::take(&mut state.again);
            state.flushing.then_some(0)
        };
        drop(state);
        // Nothing is locked while writing.
        for conn in portion.drain(..) {
            conn.outbox.flush();
        }
        if is_untidy && next.is_none() {
            self.tidy();
        }
        next
    }
}

/// What is left of a flush. Dropped before its end, as with the runtime that it ran on, it goes on
/// to the end at once: nobody else would, and writing does not wait.
struct Flush {
    topic: Arc<Topic>,
    next: Option<usize>,
    portion: Vec<Arc<AnyConn>>,
}

impl Flush {
    fn portion(&mut self) {
        if let Some(start) = self.next {
            self.next = self.topic.flush_portion(start, &mut self.portion);
        }
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        while self.next.is_some() {
            self.portion();
        }
    }
}
