//! Which of the queued frames may be lost, and to what: frames of topics with a policy of their own
//! for clients that read too slowly.
//!
//! They stand beside the queue, so that connections without such topics keep and do nothing for it.

use std::{collections::VecDeque, sync::Arc};

use super::{FlushBy, Outbox, Pushed, Sink, State, mark_index::Index, queue::Queue};
use crate::wire::Frame;

/// Up to so many marks are looked through one by one; more have an index.
const FEW: usize = if cfg!(test) { 4 } else { 32 };

/// What may become of a frame while it waits. One for all members that it is queued for.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    pub(super) topic: Box<str>,
    /// A later frame of the topic with the same key takes its place.
    pub(super) key: Option<Box<str>>,
    /// It may be dropped for later ones of the topic that do not fit.
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
    /// How many frames were queued, marked or not, since there are marks. How many came behind a
    /// frame is known from it, and so where in the queue that is.
    queued: u64,
    /// How many were dropped since neither the list nor the queue has anything of them left.
    dropped: usize,
    index: Option<Box<Index>>,
}

#[derive(Debug)]
pub(super) struct Marked {
    /// The address of the frame's bytes, which are nobody else's while it is queued. 0 for one that
    /// was dropped.
    at: usize,
    /// How many were queued before it.
    place: u64,
    pub(super) mark: Arc<Mark>,
    /// It says that others were lost, and is not lost itself.
    pub(super) is_gap: bool,
}

impl Marked {
    fn is_there(&self) -> bool {
        self.at != 0
    }

    /// Whether it may be dropped for others of its topic that do not fit.
    pub(super) fn is_droppable(&self) -> bool {
        self.is_there() && !self.is_gap && self.mark.drop_oldest
    }

    /// Whether it gives way to a later one with the same mark.
    pub(super) fn is_replaceable(&self) -> bool {
        self.is_there() && !self.is_gap
    }
}

fn address(frame: &Frame) -> usize {
    frame.wire().as_ptr().addr()
}

/// Where marked frames are in the queue.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    queue: &'a Queue,
    /// The first has not begun to leave.
    is_whole: bool,
    queued: u64,
}

impl Places<'_> {
    /// The place of one that is neither being written at this moment nor half-written.
    pub(super) fn of(self, marked: &Marked) -> Option<usize> {
        let from_end = usize::try_from(self.queued.checked_sub(marked.place)?).ok()?;
        let place = self.queue.len().checked_sub(from_end)?;
        let is_it = self.queue.get(place).is_some_and(|frame| address(frame) == marked.at);
        (is_it && (place > 0 || self.is_whole)).then_some(place)
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
    /// A frame was queued, marked or not.
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

    /// The frame at this address has left the queue.
    fn left(&mut self, at: usize) {
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
    /// A frame that is going to be queued next is marked.
    fn mark(&mut self, frame: &Frame, mark: &Arc<Mark>, is_gap: bool) {
        let marks = self.marks.get_or_insert_default();
        let (at, place) = (address(frame), marks.queued);
        marks.push(Marked { at, place, mark: Arc::clone(mark), is_gap });
    }

    /// A frame has left the queue.
    #[inline]
    pub(super) fn unmark(&mut self, frame: &Frame) {
        if let Some(marks) = &mut self.marks {
            marks.left(address(frame));
            if marks.list.is_empty() {
                self.marks = None;
            }
        }
    }

    fn parts(&mut self) -> Option<(Numbered<'_>, Places<'_>, Option<&mut Index>)> {
        let is_whole = self.is_whole();
        let marks = &mut **self.marks.as_mut()?;
        let places = Places { queue: &self.queue, is_whole, queued: marks.queued };
        Some((Numbered { list: &marks.list, first: marks.first }, places, marks.index.as_deref_mut()))
    }

    /// Drops the queued frames in whose place this one comes.
    fn drop_replaced(&mut self, mark: &Arc<Mark>) {
        if mark.key.is_none() {
            return;
        }
        while let Some((list, places, index)) = self.parts()
            && let Some((number, place)) = match index {
                Some(index) => index.replaced(mark, list, places),
                None => find(list, places, |marked| marked.is_replaceable() && marked.mark == *mark),
            }
        {
            self.drop_marked(number, place, None);
        }
    }

    /// Drops the oldest frames that may be dropped, of this topic or of any, until there is room for
    /// so much more. What `gap_of` gives for a topic stands where the first of it did.
    fn drop_oldest(&mut self, topic: Option<&str>, cost: usize, gap_of: impl Fn(&str) -> Option<Frame>) {
        while !self.fits(cost)
            && let Some((list, places, index)) = self.parts()
            && let Some((number, place)) = match index {
                Some(index) => index.oldest(topic, list, places),
                None => find(list, places, |marked| {
                    marked.is_droppable() && topic.is_none_or(|topic| *marked.mark.topic == *topic)
                }),
            }
            && let Some(mark) = list.get(number).map(|marked| Arc::clone(&marked.mark))
        {
            let gap = if self.has_gap(&mark.topic) { None } else { gap_of(&mark.topic) };
            self.drop_marked(number, place, gap);
        }
    }

    /// Whether a gap of the topic is told by what waits.
    fn has_gap(&mut self, topic: &str) -> bool {
        let Some((list, places, index)) = self.parts() else { return false };
        match index {
            Some(index) => index.has_gap(topic, list, places),
            None => find(list, places, |marked| marked.is_gap && *marked.mark.topic == *topic).is_some(),
        }
    }

    /// Drops one, or has a gap stand in its place.
    fn drop_marked(&mut self, number: u64, place: usize, gap: Option<Frame>) {
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
                self.queue.replace(place, frame)
            }
            None => {
                marked.at = 0;
                marks.dropped += 1;
                self.queue.remove(place)
            }
        };
        if !self.in_flight {
            self.queue.trim();
        }
        // Not counted as written, which would look as if the peer read. Who waits for what stood
        // behind it may wait for as much more, but not longer than for an empty queue.
        let cost = dropped.map_or(0, |frame| frame.cost()) as u64;
        self.pushed = self.written.max(self.pushed.saturating_sub(cost));
        self.count_less();
        self.sweep();
    }

    /// Sees to it that not more is left of what was dropped than there is of the rest. While frames
    /// are out to be written that can wait.
    fn sweep(&mut self) {
        let Some(marks) = &mut self.marks else { return };
        if self.in_flight || marks.dropped <= self.queue.len() / 2 + FEW {
            return;
        }
        self.queue.sweep();
        marks.list.retain(Marked::is_there);
        (marks.queued, marks.dropped, marks.index) = (self.queue.len() as u64, 0, None);
        let mut marked = marks.list.iter_mut().peekable();
        for (place, frame) in (0..).zip(self.queue.iter()) {
            if let Some(marked) = marked.next_if(|marked| marked.at == address(frame)) {
                marked.place = place;
            }
        }
        marks.index_if_many();
    }
}

/// The first of few that has not begun to leave: its number, and its place in the queue.
fn find(list: Numbered<'_>, places: Places<'_>, is_it: impl Fn(&Marked) -> bool) -> Option<(u64, usize)> {
    list.iter().filter(|(_, marked)| is_it(marked)).find_map(|(number, marked)| Some((number, places.of(marked)?)))
}

impl<S: Sink> Outbox<S> {
    /// Queues a frame that may be lost, as its mark says. Where it does not fit it asks for
    /// [`push_dropping`](Self::push_dropping).
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

    /// The same once what fits into the sink was written: drops older frames of the topic, or this
    /// one, if the mark allows that. What `gap_of` gives for the topic stands where the first
    /// was, once; where this frame is the one that is lost, it goes beyond the limit.
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
                // Others have filled the queue: it is this one that is lost.
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

    /// Drops what may be dropped for a frame that may not.
    pub(crate) fn make_room(&self, cost: usize, gap_of: impl Fn(&str) -> Option<Frame>) {
        self.state.lock().drop_oldest(None, cost, gap_of);
    }
}
