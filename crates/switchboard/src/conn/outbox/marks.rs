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

    pub(super) fn may_drop_older(&self) -> bool {
        self.drop_oldest
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
    pub(super) fn mark(&mut self, frame: &Frame, mark: &Arc<Mark>, is_gap: bool) {
        let marked = Marked { at: address(frame), mark: Arc::clone(mark), is_gap };
        self.marks.get_or_insert_default().0.push_back(marked);
    }

    /// A frame has left the queue.
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
    pub(super) fn drop_replaced(&mut self, mark: &Mark) {
        while let Some((index, place)) = self.find(|marked| !marked.is_gap && mark.replaces(&marked.mark)) {
            self.drop_marked(index, place, None);
        }
    }

    /// Drops the oldest of the topic's frames until there is room for so much more. `gap` takes the
    /// place of the first, if none stands there yet; given back if nothing had to be dropped.
    pub(super) fn drop_oldest(&mut self, mark: &Mark, cost: usize, gap: &mut Option<(Frame, Arc<Mark>)>) {
        if self.find(|marked| marked.is_gap && marked.mark.topic == mark.topic).is_some() {
            *gap = None;
        }
        while !self.fits(cost) {
            let oldest = |marked: &Marked| !marked.is_gap && marked.mark.drop_oldest && marked.mark.topic == mark.topic;
            let Some((index, place)) = self.find(oldest) else { return };
            self.drop_marked(index, place, gap.take());
        }
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
        self.enqueue(&mut state, frame, promise)
    }

    /// The same once what fits into the sink was written: drops older frames of the topic, or this
    /// one, if the mark allows that. `gap` is queued where the first was, on top of the limit: one
    /// for a topic.
    pub(crate) fn push_dropping(&self, frame: Frame, mark: &Arc<Mark>, gap: Option<Frame>, promise: Promise) -> Pushed {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return Pushed::Closed;
        }
        state.drop_replaced(mark);
        if mark.may_drop_older() {
            let mut gap = gap.map(|gap| (gap, Arc::clone(mark)));
            state.drop_oldest(mark, frame.cost(), &mut gap);
            if !state.fits(frame.cost()) {
                // Others have filled the queue: it is this one that is lost.
                if let Some((gap, mark)) = gap {
                    state.mark(&gap, &mark, true);
                    self.enqueue(&mut state, gap, promise);
                }
                return Pushed::Pressed;
            }
        }
        if state.fits(frame.cost()) {
            state.mark(&frame, mark, false);
            return self.enqueue(&mut state, frame, promise);
        }
        drop(state);
        self.push_anyway(frame, promise)
    }
}
