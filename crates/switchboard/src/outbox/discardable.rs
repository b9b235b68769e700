//! The queued frames that may be discarded: those of topics with a
//! [`SlowConsumer`](crate::SlowConsumer) policy.
//!
//! They are listed beside the queue, so connections without such topics pay nothing for them.

use std::{collections::VecDeque, sync::Arc};

use super::{FlushBy, Outbox, Pushed, Sink, State, discard_index::Index, queue::Queue};
use crate::wire::Frame;

/// Up to this many frames are searched linearly; more have an index.
const FEW: usize = if cfg!(test) { 4 } else { 32 };

/// When a queued frame may be discarded. Shared by all subscribers that it is queued for.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct DiscardPolicy {
    pub(super) topic: Box<str>,
    /// Conflation: a later frame of the topic with the same key replaces this one.
    pub(super) key: Option<Box<str>>,
    /// It may be dropped to make room.
    pub(super) drop_oldest: bool,
}

impl DiscardPolicy {
    pub(crate) fn new(topic: &str, key: Option<Box<str>>, drop_oldest: bool) -> Self {
        Self { topic: topic.into(), key, drop_oldest }
    }
}

/// The discardable frames, numbered in the order of the queue.
#[derive(Debug, Default)]
pub(super) struct DiscardableList {
    frames: VecDeque<Discardable>,
    /// The number of the first in the list.
    first: u64,
    /// How many frames were queued, discardable or not, since the list exists. With
    /// [`Discardable::queued_before`] it gives a frame's position from the end of the queue.
    queued: u64,
    /// How many dropped frames still have an entry in the list or a hole in the queue.
    dropped: usize,
    index: Option<Box<Index>>,
}

#[derive(Debug)]
pub(super) struct Discardable {
    /// The address of the frame's bytes, which identifies it while it is queued; 0 once dropped.
    at: usize,
    /// How many frames were queued before it.
    queued_before: u64,
    pub(super) policy: Arc<DiscardPolicy>,
    /// It is a gap notice, which reports dropped frames and is never dropped itself.
    pub(super) is_gap: bool,
}

impl Discardable {
    fn is_there(&self) -> bool {
        self.at != 0
    }

    /// Whether it may be dropped to make room.
    pub(super) fn is_droppable(&self) -> bool {
        self.is_there() && !self.is_gap && self.policy.drop_oldest
    }

    /// Whether a later frame with the same policy replaces it.
    pub(super) fn is_replaceable(&self) -> bool {
        self.is_there() && !self.is_gap
    }
}

fn address(frame: &Frame) -> usize {
    frame.wire().as_ptr().addr()
}

/// Finds the positions of discardable frames in the queue.
#[derive(Clone, Copy)]
pub(super) struct Positions<'a> {
    queue: &'a Queue,
    /// Nothing of the first frame has been written.
    is_whole: bool,
    queued: u64,
}

impl Positions<'_> {
    /// Returns the position of a frame, unless it is being written or half-written.
    pub(super) fn of(self, entry: &Discardable) -> Option<usize> {
        let from_end = usize::try_from(self.queued.checked_sub(entry.queued_before)?).ok()?;
        let position = self.queue.len().checked_sub(from_end)?;
        let is_same = self.queue.get(position).is_some_and(|frame| address(frame) == entry.at);
        (is_same && (position > 0 || self.is_whole)).then_some(position)
    }
}

/// The discardable frames by their numbers.
#[derive(Clone, Copy)]
pub(super) struct Numbered<'a> {
    list: &'a VecDeque<Discardable>,
    first: u64,
}

impl<'a> Numbered<'a> {
    pub(super) fn get(self, number: u64) -> Option<&'a Discardable> {
        self.list.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn iter(self) -> impl Iterator<Item = (u64, &'a Discardable)> {
        (self.first..).zip(self.list)
    }
}

impl DiscardableList {
    /// Counts a queued frame, discardable or not.
    pub(super) fn count_queued(&mut self) {
        self.queued += 1;
    }

    fn push(&mut self, entry: Discardable) {
        if let Some(index) = &mut self.index {
            index.add(self.first + self.frames.len() as u64, &entry);
        }
        self.frames.push_back(entry);
        self.index_if_many();
    }

    fn index_if_many(&mut self) {
        if self.index.is_none() && self.frames.len() > FEW {
            let mut index = Box::<Index>::default();
            let numbered = Numbered { list: &self.frames, first: self.first };
            numbered.iter().filter(|(_, entry)| entry.is_there()).for_each(|(number, entry)| index.add(number, entry));
            self.index = Some(index);
        }
    }

    /// Removes the frame at this address, which has left the queue.
    fn remove(&mut self, at: usize) {
        while let Some(first) = self.frames.front()
            && (!first.is_there() || first.at == at)
        {
            if let Some(index) = &mut self.index {
                index.remove(self.first, first);
            }
            self.frames.pop_front();
            self.first += 1;
        }
    }
}

impl<S> State<S> {
    /// Lists the frame that will be queued next.
    fn track(&mut self, frame: &Frame, policy: &Arc<DiscardPolicy>, is_gap: bool) {
        let list = self.discardable.get_or_insert_default();
        let (at, queued_before) = (address(frame), list.queued);
        list.push(Discardable { at, queued_before, policy: Arc::clone(policy), is_gap });
    }

    /// Removes a frame that has left the queue from the list.
    #[inline]
    pub(super) fn forget_discardable(&mut self, frame: &Frame) {
        if let Some(list) = &mut self.discardable {
            list.remove(address(frame));
            if list.frames.is_empty() {
                self.discardable = None;
            }
        }
    }

    fn parts(&mut self) -> Option<(Numbered<'_>, Positions<'_>, Option<&mut Index>)> {
        let is_whole = self.is_whole();
        let list = &mut **self.discardable.as_mut()?;
        let positions = Positions { queue: &self.queue, is_whole, queued: list.queued };
        Some((Numbered { list: &list.frames, first: list.first }, positions, list.index.as_deref_mut()))
    }

    /// Drops the queued frames that a frame with this policy replaces.
    fn drop_replaced(&mut self, policy: &Arc<DiscardPolicy>) {
        if policy.key.is_none() {
            return;
        }
        while let Some((list, positions, index)) = self.parts()
            && let Some((number, position)) = match index {
                Some(index) => index.replaced(policy, list, positions),
                None => find(list, positions, |entry| entry.is_replaceable() && entry.policy == *policy),
            }
        {
            self.discard(number, position, None);
        }
    }

    /// Drops the oldest droppable frames, of this topic or of any, until `cost` fits. The gap
    /// notice that `gap_of` returns for a topic takes the position of its first dropped frame.
    fn drop_oldest(&mut self, topic: Option<&str>, cost: usize, gap_of: impl Fn(&str) -> Option<Frame>) {
        while !self.fits(cost)
            && let Some((list, positions, index)) = self.parts()
            && let Some((number, position)) = match index {
                Some(index) => index.oldest(topic, list, positions),
                None => find(list, positions, |entry| {
                    entry.is_droppable() && topic.is_none_or(|topic| *entry.policy.topic == *topic)
                }),
            }
            && let Some(policy) = list.get(number).map(|entry| Arc::clone(&entry.policy))
        {
            let gap = if self.has_gap(&policy.topic) { None } else { gap_of(&policy.topic) };
            self.discard(number, position, gap);
        }
    }

    /// Whether a gap notice of the topic is queued.
    fn has_gap(&mut self, topic: &str) -> bool {
        let Some((list, positions, index)) = self.parts() else { return false };
        match index {
            Some(index) => index.has_gap(topic, list, positions),
            None => find(list, positions, |entry| entry.is_gap && *entry.policy.topic == *topic).is_some(),
        }
    }

    /// Drops a discardable frame, or replaces it by a gap notice.
    fn discard(&mut self, number: u64, position: usize, gap: Option<Frame>) {
        let Some(list) = &mut self.discardable else { return };
        let entry = number.checked_sub(list.first).and_then(|index| list.frames.get_mut(usize::try_from(index).ok()?));
        let Some(entry) = entry else { return };
        let dropped = match gap {
            Some(frame) => {
                (entry.at, entry.is_gap) = (address(&frame), true);
                if let Some(index) = &mut list.index {
                    index.add(number, entry);
                }
                self.pushed += frame.cost() as u64;
                self.queue.replace(position, frame)
            }
            None => {
                entry.at = 0;
                list.dropped += 1;
                self.queue.remove(position)
            }
        };
        if !self.in_flight {
            self.queue.trim();
        }
        // Not counted as written, which would look as if the peer had read it. A `Wait` for a later
        // frame may therefore complete a little late, but at the latest when the queue is empty.
        let cost = dropped.map_or(0, |frame| frame.cost()) as u64;
        self.pushed = self.written.max(self.pushed.saturating_sub(cost));
        self.refund();
        self.sweep();
    }

    /// Removes holes and entries of dropped frames once they outnumber half of the queue. Skipped
    /// while frames are taken out for writing.
    fn sweep(&mut self) {
        let Some(list) = &mut self.discardable else { return };
        if self.in_flight || list.dropped <= self.queue.len() / 2 + FEW {
            return;
        }
        self.queue.sweep();
        list.frames.retain(Discardable::is_there);
        (list.queued, list.dropped, list.index) = (self.queue.len() as u64, 0, None);
        let mut entries = list.frames.iter_mut().peekable();
        for (position, frame) in (0..).zip(self.queue.iter()) {
            if let Some(entry) = entries.next_if(|entry| entry.at == address(frame)) {
                entry.queued_before = position;
            }
        }
        list.index_if_many();
    }
}

/// Searches linearly for the first match that is not being written: its number and its position.
fn find(list: Numbered<'_>, positions: Positions<'_>, matches: impl Fn(&Discardable) -> bool) -> Option<(u64, usize)> {
    list.iter().filter(|(_, entry)| matches(entry)).find_map(|(number, entry)| Some((number, positions.of(entry)?)))
}

impl<S: Sink> Outbox<S> {
    /// Queues a frame that may be dropped as its policy allows. Returns [`Pushed::NoRoom`] if it does
    /// not fit: the caller then writes and calls [`push_dropping`](Self::push_dropping).
    pub(crate) fn push_discardable(&self, frame: Frame, policy: &Arc<DiscardPolicy>, flush_by: FlushBy) -> Pushed {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return Pushed::Closed;
        }
        state.drop_replaced(policy);
        if !state.fits(frame.cost()) {
            return Pushed::NoRoom;
        }
        state.track(&frame, policy, false);
        self.enqueue(state, frame, flush_by)
    }

    /// Queues a frame after [`push_discardable`](Self::push_discardable) found no room. Makes room by
    /// dropping older frames of the topic, or else drops this frame, if the policy allows that.
    ///
    /// The gap notice from `gap_of` takes the position of the first dropped frame, once. If this
    /// frame is dropped, the notice may exceed the limit.
    pub(crate) fn push_dropping(
        &self,
        frame: Frame,
        policy: &Arc<DiscardPolicy>,
        gap_of: impl Fn(&str) -> Option<Frame>,
        flush_by: FlushBy,
    ) -> Pushed {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return Pushed::Closed;
        }
        state.drop_replaced(policy);
        if policy.drop_oldest {
            state.drop_oldest(Some(&policy.topic), frame.cost(), &gap_of);
            if !state.fits(frame.cost()) {
                // Other topics have filled the queue: this frame is dropped.
                if !state.has_gap(&policy.topic)
                    && let Some(gap) = gap_of(&policy.topic)
                {
                    state.track(&gap, policy, true);
                    if self.enqueue(state, gap, flush_by) == Pushed::Closed {
                        return Pushed::Closed;
                    }
                }
                return Pushed::AboveWatermark;
            }
        }
        if state.fits(frame.cost()) {
            state.track(&frame, policy, false);
            return self.enqueue(state, frame, flush_by);
        }
        drop(state);
        self.push_anyway(frame, flush_by)
    }

    /// Drops droppable frames to make room for one that may not be dropped.
    pub(crate) fn make_room(&self, cost: usize, gap_of: impl Fn(&str) -> Option<Frame>) {
        self.state.lock().drop_oldest(None, cost, gap_of);
    }
}
