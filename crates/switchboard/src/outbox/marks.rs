//! Marks of queued frames that may be dropped: those of topics with a
//! [`SlowConsumer`](crate::SlowConsumer) policy.
//!
//! They are kept beside the queue, so that connections without such topics pay nothing for them.

use std::{collections::VecDeque, sync::Arc};

use super::{FlushBy, Outbox, Pushed, Sink, State, mark_index::Index, queue::Queue};
use crate::wire::Frame;

/// Up to this many marks are searched linearly; more have an index.
const FEW: usize = if cfg!(test) { 4 } else { 32 };

/// The policy of a queued frame, shared by all subscribers that it is queued for.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    pub(super) topic: Box<str>,
    /// Conflation: a later frame of the topic with the same key replaces this one.
    pub(super) key: Option<Box<str>>,
    /// It may be dropped to make room.
    pub(super) drop_oldest: bool,
}

impl Mark {
    pub(crate) fn new(topic: &str, key: Option<Box<str>>, drop_oldest: bool) -> Self {
        Self { topic: topic.into(), key, drop_oldest }
    }
}

/// The marked frames, numbered in the order of the queue.
#[derive(Debug, Default)]
pub(super) struct Marks {
    list: VecDeque<Marked>,
    /// The number of the first in the list.
    first: u64,
    /// How many frames were queued, marked or not, since there are marks. With
    /// [`Marked::queued_before`] it gives a frame's position from the end of the queue.
    queued: u64,
    /// How many dropped frames still have an entry in the list or a hole in the queue.
    dropped: usize,
    index: Option<Box<Index>>,
}

#[derive(Debug)]
pub(super) struct Marked {
    /// The address of the frame's bytes, which identifies it while it is queued; 0 once dropped.
    at: usize,
    /// How many frames were queued before it.
    queued_before: u64,
    pub(super) mark: Arc<Mark>,
    /// It is a gap notice, which reports dropped frames and is never dropped itself.
    pub(super) is_gap: bool,
}

impl Marked {
    fn is_there(&self) -> bool {
        self.at != 0
    }

    /// Whether it may be dropped to make room.
    pub(super) fn is_droppable(&self) -> bool {
        self.is_there() && !self.is_gap && self.mark.drop_oldest
    }

    /// Whether a later frame with the same mark replaces it.
    pub(super) fn is_replaceable(&self) -> bool {
        self.is_there() && !self.is_gap
    }
}

fn address(frame: &Frame) -> usize {
    frame.wire().as_ptr().addr()
}

/// Finds the positions of marked frames in the queue.
#[derive(Clone, Copy)]
pub(super) struct Positions<'a> {
    queue: &'a Queue,
    /// Nothing of the first frame has been written.
    is_whole: bool,
    queued: u64,
}

impl Positions<'_> {
    /// Returns the position of a frame, unless it is being written or half-written.
    pub(super) fn of(self, marked: &Marked) -> Option<usize> {
        let from_end = usize::try_from(self.queued.checked_sub(marked.queued_before)?).ok()?;
        let position = self.queue.len().checked_sub(from_end)?;
        let is_same = self.queue.get(position).is_some_and(|frame| address(frame) == marked.at);
        (is_same && (position > 0 || self.is_whole)).then_some(position)
    }
}

/// The marked frames by their numbers.
#[derive(Clone, Copy)]
pub(super) struct Numbered<'a> {
    list: &'a VecDeque<Marked>,
    first: u64,
}

impl<'a> Numbered<'a> {
    pub(super) fn get(self, number: u64) -> Option<&'a Marked> {
        self.list.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn iter(self) -> impl Iterator<Item = (u64, &'a Marked)> {
        (self.first..).zip(self.list)
    }
}

impl Marks {
    /// Counts a queued frame, marked or not.
    pub(super) fn count_queued(&mut self) {
        self.queued += 1;
    }

    fn push(&mut self, marked: Marked) {
        if let Some(index) = &mut self.index {
            index.add(self.first + self.list.len() as u64, &marked);
        }
        self.list.push_back(marked);
        self.index_if_many();
    }

    fn index_if_many(&mut self) {
        if self.index.is_none() && self.list.len() > FEW {
            let mut index = Box::<Index>::default();
            let numbered = Numbered { list: &self.list, first: self.first };
            numbered
                .iter()
                .filter(|(_, marked)| marked.is_there())
                .for_each(|(number, marked)| index.add(number, marked));
            self.index = Some(index);
        }
    }

    /// Removes the mark of the frame at this address, which has left the queue.
    fn remove(&mut self, at: usize) {
        while let Some(first) = self.list.front()
            && (!first.is_there() || first.at == at)
        {
            if let Some(index) = &mut self.index {
                index.remove(self.first, first);
            }
            self.list.pop_front();
            self.first += 1;
        }
    }
}

impl<S> State<S> {
    /// Marks the frame that will be queued next.
    fn mark(&mut self, frame: &Frame, mark: &Arc<Mark>, is_gap: bool) {
        let marks = self.marks.get_or_insert_default();
        let (at, queued_before) = (address(frame), marks.queued);
        marks.push(Marked { at, queued_before, mark: Arc::clone(mark), is_gap });
    }

    /// Removes the mark of a frame that has left the queue.
    #[inline]
    pub(super) fn unmark(&mut self, frame: &Frame) {
        if let Some(marks) = &mut self.marks {
            marks.remove(address(frame));
            if marks.list.is_empty() {
                self.marks = None;
            }
        }
    }

    fn parts(&mut self) -> Option<(Numbered<'_>, Positions<'_>, Option<&mut Index>)> {
        let is_whole = self.is_whole();
        let marks = &mut **self.marks.as_mut()?;
        let positions = Positions { queue: &self.queue, is_whole, queued: marks.queued };
        Some((Numbered { list: &marks.list, first: marks.first }, positions, marks.index.as_deref_mut()))
    }

    /// Drops the queued frames that a frame with this mark replaces.
    fn drop_replaced(&mut self, mark: &Arc<Mark>) {
        if mark.key.is_none() {
            return;
        }
        while let Some((list, positions, index)) = self.parts()
            && let Some((number, position)) = match index {
                Some(index) => index.replaced(mark, list, positions),
                None => find(list, positions, |marked| marked.is_replaceable() && marked.mark == *mark),
            }
        {
            self.drop_marked(number, position, None);
        }
    }

    /// Drops the oldest droppable frames, of this topic or of any, until `cost` fits. The gap
    /// notice that `gap_of` returns for a topic takes the position of its first dropped frame.
    fn drop_oldest(&mut self, topic: Option<&str>, cost: usize, gap_of: impl Fn(&str) -> Option<Frame>) {
        while !self.fits(cost)
            && let Some((list, positions, index)) = self.parts()
            && let Some((number, position)) = match index {
                Some(index) => index.oldest(topic, list, positions),
                None => find(list, positions, |marked| {
                    marked.is_droppable() && topic.is_none_or(|topic| *marked.mark.topic == *topic)
                }),
            }
            && let Some(mark) = list.get(number).map(|marked| Arc::clone(&marked.mark))
        {
            let gap = if self.has_gap(&mark.topic) { None } else { gap_of(&mark.topic) };
            self.drop_marked(number, position, gap);
        }
    }

    /// Whether a gap notice of the topic is queued.
    fn has_gap(&mut self, topic: &str) -> bool {
        let Some((list, positions, index)) = self.parts() else { return false };
        match index {
            Some(index) => index.has_gap(topic, list, positions),
            None => find(list, positions, |marked| marked.is_gap && *marked.mark.topic == *topic).is_some(),
        }
    }

    /// Drops a marked frame, or replaces it by a gap notice.
    fn drop_marked(&mut self, number: u64, position: usize, gap: Option<Frame>) {
        let Some(marks) = &mut self.marks else { return };
        let marked = number.checked_sub(marks.first).and_then(|index| marks.list.get_mut(usize::try_from(index).ok()?));
        let Some(marked) = marked else { return };
        let dropped = match gap {
            Some(frame) => {
                (marked.at, marked.is_gap) = (address(&frame), true);
                if let Some(index) = &mut marks.index {
                    index.add(number, marked);
                }
                self.pushed += frame.cost() as u64;
                self.queue.replace(position, frame)
            }
            None => {
                marked.at = 0;
                marks.dropped += 1;
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

    /// Removes holes and marks of dropped frames once they outnumber half of the queue. Skipped
    /// while frames are taken out for writing.
    fn sweep(&mut self) {
        let Some(marks) = &mut self.marks else { return };
        if self.in_flight || marks.dropped <= self.queue.len() / 2 + FEW {
            return;
        }
        self.queue.sweep();
        marks.list.retain(Marked::is_there);
        (marks.queued, marks.dropped, marks.index) = (self.queue.len() as u64, 0, None);
        let mut marked = marks.list.iter_mut().peekable();
        for (position, frame) in (0..).zip(self.queue.iter()) {
            if let Some(marked) = marked.next_if(|marked| marked.at == address(frame)) {
                marked.queued_before = position;
            }
        }
        marks.index_if_many();
    }
}

/// Searches linearly for the first match that is not being written: its number and its position.
fn find(list: Numbered<'_>, positions: Positions<'_>, matches: impl Fn(&Marked) -> bool) -> Option<(u64, usize)> {
    list.iter().filter(|(_, marked)| matches(marked)).find_map(|(number, marked)| Some((number, positions.of(marked)?)))
}

impl<S: Sink> Outbox<S> {
    /// Queues a frame that may be dropped as its mark allows. Returns [`Pushed::NoRoom`] if it does
    /// not fit: the caller then writes and calls [`push_dropping`](Self::push_dropping).
    pub(crate) fn push_marked(&self, frame: Frame, mark: &Arc<Mark>, flush_by: FlushBy) -> Pushed {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return Pushed::Closed;
        }
        state.drop_replaced(mark);
        if !state.fits(frame.cost()) {
            return Pushed::NoRoom;
        }
        state.mark(&frame, mark, false);
        self.enqueue(state, frame, flush_by)
    }

    /// Queues a frame after [`push_marked`](Self::push_marked) found no room. Makes room by
    /// dropping older frames of the topic, or else drops this frame, if the mark allows that.
    ///
    /// The gap notice from `gap_of` takes the position of the first dropped frame, once. If this
    /// frame is dropped, the notice may exceed the limit.
    pub(crate) fn push_dropping(
        &self,
        frame: Frame,
        mark: &Arc<Mark>,
        gap_of: impl Fn(&str) -> Option<Frame>,
        flush_by: FlushBy,
    ) -> Pushed {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return Pushed::Closed;
        }
        state.drop_replaced(mark);
        if mark.drop_oldest {
            state.drop_oldest(Some(&mark.topic), frame.cost(), &gap_of);
            if !state.fits(frame.cost()) {
                // Other topics have filled the queue: this frame is dropped.
                if !state.has_gap(&mark.topic)
                    && let Some(gap) = gap_of(&mark.topic)
                {
                    state.mark(&gap, mark, true);
                    if self.enqueue(state, gap, flush_by) == Pushed::Closed {
                        return Pushed::Closed;
                    }
                }
                return Pushed::AboveWatermark;
            }
        }
        if state.fits(frame.cost()) {
            state.mark(&frame, mark, false);
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
