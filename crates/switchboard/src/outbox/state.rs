//! What the outbox's lock protects.

use std::{io, mem, sync::Arc, task::Waker};

use bytes::Bytes;
use switchboard_core::CloseCode;

use super::{
    budget::{Budget, BudgetShare, Charge},
    marks::Marks,
    queue::Queue,
    wait::Waiters,
};
use crate::wire::{Frame, frame_start};

/// The most slices that one write is made of.
const MAX_SLICES: usize = 64;

/// Something that can be written to without waiting, from any thread.
pub(crate) trait Sink {
    /// Writes as much as it takes, which may be nothing.
    ///
    /// # Errors
    ///
    /// It never will take any more.
    fn try_write(&self, slices: &[io::IoSlice<'_>]) -> io::Result<usize>;

    /// The same, whatever is known of whether it takes any.
    ///
    /// # Errors
    ///
    /// It never will take any more.
    fn write_now(&self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.try_write(slices)
    }
}

/// A ping without payload: a pong tells by itself what it answers, there being one at a time.
pub(super) fn ping() -> Frame {
    Frame::new(Bytes::from_static(&[0x89, 0]))
}

/// Who may write.
#[derive(Debug)]
pub(super) enum Writer<S> {
    /// Only the owner, in a way of its own.
    Owner,
    /// Whoever takes the sink.
    Free(S),
    /// Whoever has taken it.
    Busy,
    /// Nobody any more.
    Gone,
}

/// How far a queue has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// Bytes of all that was ever pushed.
    pub(crate) pushed: u64,
    /// Of all that was ever written.
    pub(crate) written: u64,
}

impl Backlog {
    /// What waits.
    pub(crate) fn waits(self) -> u64 {
        self.pushed.saturating_sub(self.written)
    }
}

/// How the connection is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: CloseCode,
    pub(crate) reason: Box<str>,
}

impl Closing {
    pub(super) fn slow_consumer() -> Self {
        Self { code: CloseCode::SLOW_CONSUMER, reason: "slow consumer".into() }
    }
}

#[derive(Debug)]
pub(super) struct State<S> {
    pub(super) queue: Queue,
    /// How much of the first frame has left.
    offset: usize,
    /// Which of the frames may be lost, if any.
    pub(super) marks: Option<Box<Marks>>,
    /// Goes ahead of what is queued. Boxed, since it mostly is not there.
    pub(super) pong: Option<Box<Frame>>,
    /// So does a ping.
    pub(super) ping: bool,
    /// Of all that was ever pushed.
    pub(super) pushed: u64,
    /// Of all that was ever written: the difference is what waits.
    pub(super) written: u64,
    pub(super) limit: usize,
    /// Of what waits in all queues.
    share: BudgetShare,
    /// The owner is in its turn and looks here again before that ends: no need to wake it.
    pub(super) in_turn: bool,
    /// The sink takes no more; the owner waits for it.
    pub(super) blocked: bool,
    /// The owner's last turn ended before it could write all.
    pub(super) stalled: bool,
    /// Frames were taken out to be written and are not back yet.
    pub(super) in_flight: bool,
    /// What they cost.
    taken: usize,
    /// All but the half-written frame is to be dropped of them when they come back.
    overflowed: bool,
    /// The owner is to be woken when whoever is writing now is done.
    pub(super) owner_waits: bool,
    pub(super) writer: Writer<S>,
    pub(super) owner: Option<Waker>,
    pub(super) closing: Option<Closing>,
    pub(super) waiters: Waiters,
}

impl<S> State<S> {
    pub(super) fn new(limit: usize, total: Arc<Budget>) -> Self {
        Self {
            queue: Queue::default(),
            offset: 0,
            marks: None,
            pong: None,
            ping: false,
            pushed: 0,
            written: 0,
            limit,
            share: BudgetShare::new(total),
            in_turn: false,
            blocked: false,
            stalled: false,
            in_flight: false,
            taken: 0,
            overflowed: false,
            owner_waits: false,
            writer: Writer::Owner,
            owner: None,
            closing: None,
            waiters: Waiters::default(),
        }
    }

    pub(super) fn waits(&self) -> usize {
        usize::try_from(self.pushed - self.written).unwrap_or(usize::MAX)
    }

    /// Of what waits, what nobody is writing at this moment: that may be gone the next.
    pub(super) fn waits_unwritten(&self) -> usize {
        self.waits() - if self.in_flight { self.taken.min(self.waits()) } else { 0 }
    }

    /// Whether so much more may wait.
    pub(super) fn fits(&self, cost: usize) -> bool {
        self.waits_unwritten() + cost <= self.limit
    }

    /// Whether a reply does that may go beyond the limit.
    pub(super) fn fits_reply(&self, cost: usize) -> bool {
        cost <= self.limit && self.waits_unwritten() + cost <= self.limit.saturating_mul(2)
    }

    pub(super) fn backlog(&self) -> Backlog {
        Backlog { pushed: self.pushed, written: self.written }
    }

    /// Whether the first frame has not begun to leave.
    pub(super) fn is_whole(&self) -> bool {
        self.offset == 0
    }

    pub(super) fn has_room(&self) -> bool {
        self.waits() <= self.limit / 2
    }

    /// Whether nothing more is going to be written that is pushed now.
    pub(super) fn is_over(&self) -> bool {
        self.closing.is_some() || matches!(self.writer, Writer::Gone)
    }

    pub(super) fn ready_waiters(&mut self) -> Vec<Waker> {
        let (has_room, is_empty) = (self.has_room(), self.waits() == 0);
        self.waiters.ready(self.written, has_room, is_empty)
    }

    /// The sink is broken: the owner is to end the connection.
    pub(super) fn break_off(&mut self) {
        self.writer = Writer::Gone;
        self.forget();
        self.wake_owner();
    }

    pub(super) fn wake_owner(&self) {
        if let Some(owner) = &self.owner {
            owner.wake_by_ref();
        }
    }

    pub(super) fn has_something(&self) -> bool {
        !self.queue.is_empty() || self.pong.is_some() || self.ping
    }

    /// Whether something waits because the sink takes no more, as far as can be seen.
    pub(super) fn is_behind(&self) -> bool {
        // Where only the owner writes, it is at it whenever something waits.
        self.waits() > 0 && (self.blocked || self.in_turn || matches!(self.writer, Writer::Owner))
    }

    /// Whether the owner may write past the queue.
    pub(super) fn is_clear(&self) -> bool {
        !self.has_something() && !self.blocked && matches!(self.writer, Writer::Free(_) | Writer::Owner)
    }

    pub(super) fn count_written(&mut self, cost: usize) {
        self.written = self.pushed.min(self.written + cost as u64);
    }

    /// Counts all that waits: it does not leave at once.
    pub(super) fn count(&mut self) -> Charge {
        let counted = self.share.set(self.waits());
        self.wake_to_shed(counted)
    }

    /// The same after something was added.
    pub(super) fn grown(&mut self) -> Charge {
        let counted = self.share.grow(self.waits());
        self.wake_to_shed(counted)
    }

    /// The owner has somebody see to it: nothing may be locked then.
    fn wake_to_shed(&self, counted: Charge) -> Charge {
        if counted == Charge::High {
            self.wake_owner();
        }
        counted
    }

    /// Counts what has gone of what was counted.
    pub(super) fn count_less(&mut self) {
        if self.share.is_counted() {
            self.share.set(self.waits());
        }
    }

    pub(super) fn count_overflow(&self) {
        self.share.count_overflow();
    }

    /// Leaves only the frame that is half-written; of what is being written, once that is known.
    pub(super) fn drop_whole_frames(&mut self) {
        self.overflowed = self.in_flight;
        (self.pong, self.ping, self.marks) = (None, false, None);
        let half = (self.offset > 0).then(|| self.queue.pop_front()).flatten();
        self.queue = Queue::default();
        let mut waits = 0;
        if let Some(frame) = half {
            let (half, _) = frame.split_after(self.offset);
            waits = half.cost();
            self.queue.push_back(half);
        }
        self.written = self.pushed.saturating_sub(waits as u64);
        self.count_less();
    }

    /// Takes all frames out for good.
    pub(super) fn forget(&mut self) -> Queue {
        (self.pong, self.ping, self.marks) = (None, false, None);
        self.offset = 0;
        self.blocked = false;
        self.written = self.pushed;
        self.count_less();
        mem::take(&mut self.queue)
    }

    /// Takes the sink, if it is there and free to be written to.
    pub(super) fn take_sink(&mut self) -> Option<S> {
        if self.blocked || !matches!(self.writer, Writer::Free(_)) {
            return None;
        }
        match mem::replace(&mut self.writer, Writer::Busy) {
            Writer::Free(sink) => Some(sink),
            other => {
                self.writer = other;
                None
            }
        }
    }

    /// Puts the sink back, or drops it if it is not wanted any more.
    pub(super) fn give_back(&mut self, sink: S) {
        if matches!(self.writer, Writer::Busy) {
            self.writer = Writer::Free(sink);
        }
    }

    /// The same although the sink has said that it takes no more.
    pub(super) fn start_poking(&mut self) -> Option<(S, Writing)> {
        let blocked = std::mem::take(&mut self.blocked);
        let started = if self.queue.is_empty() { None } else { self.start_writing() };
        if started.is_none() {
            self.blocked = blocked;
        }
        started
    }

    pub(super) fn start_writing(&mut self) -> Option<(S, Writing)> {
        let sink = self.take_sink()?;
        Some((sink, self.take_queue()))
    }

    pub(super) fn take_queue(&mut self) -> Writing {
        if mem::take(&mut self.ping) {
            self.push_ahead(ping());
        }
        if let Some(pong) = self.pong.take() {
            self.push_ahead(*pong);
        }
        self.in_flight = true;
        self.taken = self.waits();
        Writing { queue: mem::take(&mut self.queue), offset: mem::take(&mut self.offset) }
    }

    /// Puts back the sink and what it did not take; `None` if it never will take any more. Who is to
    /// be woken.
    pub(super) fn finish_writing(&mut self, sink: S, writing: Writing, wrote: Option<usize>) -> Vec<Waker> {
        self.give_back(sink);
        if mem::take(&mut self.owner_waits) {
            self.wake_owner();
        }
        if matches!(self.writer, Writer::Gone) {
            return Vec::new();
        }
        let Some(written) = wrote else {
            self.break_off();
            return self.waiters.all();
        };
        if written < writing.len() {
            self.blocked = true;
            // Only the owner can wait for the sink. In its turn it sees this by itself.
            if !self.in_turn {
                self.wake_owner();
            }
        }
        self.finish_queue(writing, written)
    }

    /// Puts back what was not written, and says who is to be woken.
    pub(super) fn finish_queue(&mut self, writing: Writing, written: usize) -> Vec<Waker> {
        let Writing { mut queue, mut offset } = writing;
        let mut left = written;
        while let Some(first) = queue.front() {
            let missing = first.len() - offset;
            if left < missing {
                offset += left;
                break;
            }
            left -= missing;
            offset = 0;
            let cost = first.cost();
            self.count_written(cost);
            self.unmark(first);
            queue.pop_front();
        }
        queue.append(mem::take(&mut self.queue));
        self.queue = queue;
        self.offset = offset;
        self.in_flight = false;
        if mem::take(&mut self.overflowed) {
            self.drop_whole_frames();
        }
        if written == 0 { Vec::new() } else { self.ready_waiters() }
    }

    /// Queues `out`, of which so much has left, ahead of everything.
    pub(super) fn put_in_front(&mut self, out: &[u8], written: usize) {
        let start = frame_start(out, written);
        self.push_ahead(Frame::new(Bytes::copy_from_slice(&out[start..])));
        self.offset += written - start;
    }

    /// Queues a frame ahead of everything that has not begun to leave.
    pub(super) fn push_ahead(&mut self, frame: Frame) {
        self.pushed += frame.cost() as u64;
        self.waiters.put_off(frame.cost() as u64);
        let half = (self.offset > 0).then(|| self.queue.pop_front()).flatten();
        let Some(half) = half else { return self.queue.push_front(frame) };
        let (half, rest) = half.split_after(self.offset);
        if let Some(rest) = rest {
            // Two where there was one, each with what it costs to keep it.
            self.pushed += (rest.cost() - rest.len()) as u64;
            self.waiters.put_off((rest.cost() - rest.len()) as u64);
            self.queue.push_front(rest);
        }
        self.queue.push_front(frame);
        self.queue.push_front(half);
    }
}

/// What was taken out of the queue to be written.
#[derive(Debug)]
pub(crate) struct Writing {
    queue: Queue,
    offset: usize,
}

impl Writing {
    /// How many bytes, of those that go into one write.
    fn len(&self) -> usize {
        self.queue.iter().take(MAX_SLICES).map(Frame::len).sum::<usize>() - self.offset
    }

    /// Calls `write` with what is to be written next.
    pub(crate) fn with_slices<T>(&self, write: impl FnOnce(&[io::IoSlice<'_>]) -> T) -> T {
        let Some(first) = self.queue.front() else { return write(&[]) };
        let first = io::IoSlice::new(&first.wire()[self.offset..]);
        if self.queue.has_one() {
            return write(&[first]);
        }
        let mut slices = [io::IoSlice::new(&[]); MAX_SLICES];
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(self.queue.iter()) {
            *slice = io::IoSlice::new(frame.wire());
            count += 1;
        }
        slices[0] = first;
        write(&slices[..count])
    }

    /// The same, whatever is known of whether it takes any.
    pub(super) fn poke<S: Sink>(&self, sink: &S) -> Option<usize> {
        self.with_slices(|slices| sink.write_now(slices)).ok()
    }

    /// How many bytes the sink took. `None` if it never will take any more.
    pub(super) fn write_to<S: Sink>(&self, sink: &S) -> Option<usize> {
        self.with_slices(|slices| sink.try_write(slices)).ok()
    }
}
