//! Which of the queued frames may be lost, and to what: frames of topics with a policy of their own
//! for clients that read too slowly.
//!
//! They stand beside the queue, so that connections without such topics keep and do nothing for it.

use std::{collections::VecDeque, sync::Arc};

use super::{Outbox, Promise, Pushed, Sink, State};
use crate::transport::Frame;

/// What may become of a frame while it waits. One for all members that it is queued for.
#[derive(Debug)]
pub(crate) struct Mark {
    topic: Box<str>,
    /// A later frame of the topic with the same key takes its place.
    key: Option<Box<str>>,
    /// It may be dropped for later ones of the topic that do not fit.
    drop_oldest: bool,
}

impl Mark {
    pub(crate) fn new(topic: &str, key: Option<Box<str>>, drop_oldest: bool) -> Self {
        Self { topic: topic.into(), key, drop_oldest }
    }

    fn replaces(&self, other: &Self) -> bool {
        self.key.is_some() && self.key == other.key && self.topic == other.topic
    }
}

/// The marked frames, in the order of the queue.
#[derive(Debug, Default)]
pub(super) struct Marks(VecDeque<Marked>);

#[derive(Debug)]
struct Marked {
    /// The address of the frame's bytes, which are nobody else's while it is queued.
    at: usize,
    mark: Arc<Mark>,
    /// It says that others were lost, and is not lost itself.
    is_gap: bool,
}

fn address(frame: &Frame) -> usize {
    frame.wire().as_ptr().addr()
}

impl<S> State<S> {
    /// A frame that is going to be queued next is marked.
    fn mark(&mut self, frame: &Frame, mark: &Arc<Mark>, is_gap: bool) {
        let marked = Marked { at: address(frame), mark: Arc::clone(mark), is_gap };
        self.marks.get_or_insert_default().0.push_back(marked);
    }

    /// A frame has left the queue.
    #[inline]
    pub(super) fn unmark(&mut self, frame: &Frame) {
        if let Some(marks) = &mut self.marks {
            if marks.0.front().is_some_and(|first| first.at == address(frame)) {
                marks.0.pop_front();
            }
            if marks.0.is_empty() {
                self.marks = None;
            }
        }
    }

    /// Drops the queued frames in whose place this one comes.
    fn drop_replaced(&mut self, mark: &Mark) {
        while let Some((index, place)) = self.find(|marked| !marked.is_gap && mark.replaces(&marked.mark)) {
            self.drop_marked(index, place, None);
        }
    }

    /// Drops the oldest frames that may be dropped, of this topic or of any, until there is room for
    /// so much more. What `gap_of` gives for a topic stands where the first of it did.
    fn drop_oldest(&mut self, topic: Option<&str>, cost: usize, gap_of: impl Fn(&str) -> Option<Frame>) {
        let is_it = |marked: &Marked| {
            !marked.is_gap && marked.mark.drop_oldest && topic.is_none_or(|topic| *marked.mark.topic == *topic)
        };
        while !self.fits(cost)
            && let Some((index, place)) = self.find(is_it)
            && let Some(mark) = self.marks.as_ref().map(|marks| Arc::clone(&marks.0[index].mark))
        {
            let gap = if self.has_gap(&mark.topic) { None } else { gap_of(&mark.topic) };
            self.drop_marked(index, place, gap.map(|gap| (gap, mark)));
        }
    }

    /// Whether a gap of the topic is told by what waits.
    fn has_gap(&self, topic: &str) -> bool {
        self.find(|marked| marked.is_gap && *marked.mark.topic == *topic).is_some()
    }

    /// The first marked frame of which this holds and that has not begun to leave: which of the
    /// marked ones, and its place in the queue.
    fn find(&self, mut is_it: impl FnMut(&Marked) -> bool) -> Option<(usize, usize)> {
        let marks = &self.marks.as_ref()?.0;
        marks.iter().enumerate().filter(|(_, marked)| is_it(marked)).find_map(|(index, marked)| {
            let place = self.queue.iter().position(|frame| address(frame) == marked.at)?;
            (place > 0 || self.is_whole()).then_some((index, place))
        })
    }

    fn drop_marked(&mut self, index: usize, place: usize, gap: Option<(Frame, Arc<Mark>)>) {
        let dropped = match gap {
            Some((frame, mark)) => {
                let marked = Marked { at: address(&frame), mark, is_gap: true };
                if let Some(place) = self.marks.as_mut().and_then(|marks| marks.0.get_mut(index)) {
                    *place = marked;
                }
                self.pushed += frame.cost() as u64;
                self.queue.replace(place, frame)
            }
            None => {
                if let Some(marks) = &mut self.marks {
                    marks.0.remove(index);
                }
                self.queue.remove(place)
            }
        };
        // Not counted as written, which would look as if the peer read. Who waits for what stood
        // behind it may wait for as much more, but not longer than for an empty queue.
        let cost = dropped.map_or(0, |frame| frame.cost()) as u64;
        self.pushed = self.written.max(self.pushed.saturating_sub(cost));
        self.count_less();
    }
}

impl<S: Sink> Outbox<S> {
    /// Queues a frame that may be lost, as its mark says. Where it does not fit it asks for
    /// [`push_dropping`](Self::push_dropping).
    pub(crate) fn push_marked(&self, frame: Frame, mark: &Arc<Mark>, promise: Promise) -> Pushed {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return Pushed::Closed;
        }
        state.drop_replaced(mark);
        if !state.fits(frame.cost()) {
            return Pushed::Full;
        }
        state.mark(&frame, mark, false);
        self.enqueue(state, frame, promise)
    }

    /// The same once what fits into the sink was written: drops older frames of the topic, or this
    /// one, if the mark allows that. What `gap_of` gives for the topic stands where the first
    /// was, once; where this frame is the one that is lost, it goes beyond the limit.
    pub(crate) fn push_dropping(
        &self,
        frame: Frame,
        mark: &Arc<Mark>,
        gap_of: impl Fn(&str) -> Option<Frame>,
        promise: Promise,
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
                    if self.enqueue(state, gap, promise) == Pushed::Closed {
                        return Pushed::Closed;
                    }
                }
                return Pushed::Pressed;
            }
        }
        if state.fits(frame.cost()) {
            state.mark(&frame, mark, false);
            return self.enqueue(state, frame, promise);
        }
        drop(state);
        self.push_anyway(frame, promise)
    }

    /// Drops what may be dropped for a frame that may not.
    pub(crate) fn make_room(&self, cost: usize, gap_of: impl Fn(&str) -> Option<Frame>) {
        self.state.lock().drop_oldest(None, cost, gap_of);
    }
}
