//! The state behind the outbox's lock.

use std::{io, mem, sync::Arc, task::Waker};

use bytes::Bytes;
use switchboard_core::CloseCode;

use super::{
    budget::{Budget, BudgetShare, Charge},
    discardable::DiscardableList,
    queue::Queue,
    wait::Waiters,
};
use crate::wire::{Frame, frame_start};

/// The maximum number of slices per write.
const MAX_SLICES: usize = 64;

/// A destination that any thread can write to without waiting.
pub(crate) trait Sink {
    /// Writes as many bytes as it accepts, possibly none.
    ///
    /// # Errors
    ///
    /// Returns an error if it will never accept more.
    fn try_write(&self, slices: &[io::IoSlice<'_>]) -> io::Result<usize>;

    /// Writes like [`try_write`](Self::try_write), but asks the system even if the sink is known to
    /// be full.
    ///
    /// # Errors
    ///
    /// Returns an error if it will never accept more.
    fn write_now(&self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.try_write(slices)
    }
}

/// A ping, without payload: only one is outstanding at a time, so pongs need not be matched.
pub(super) fn ping() -> Frame {
    Frame::new(Bytes::from_static(&[0x89, 0]))
}

/// Who may write.
#[derive(Debug)]
pub(super) enum Writer<S> {
    /// Only the owner, without a sink.
    Owner,
    /// Any thread that takes the sink.
    Free(S),
    /// The thread that has taken the sink.
    Busy,
    /// No one: the connection is broken or over.
    Gone,
}

/// The progress of a queue, in bytes since the connection began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backlog {
    pub(crate) pushed: u64,
    pub(crate) written: u64,
}

impl Backlog {
    /// Returns the bytes queued.
    pub(crate) fn queued(self) -> u64 {
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
    /// How many bytes of the first frame have been written.
    offset: usize,
    /// Which frames may be dropped, if any.
    pub(super) discardable: Option<Box<DiscardableList>>,
    /// Written ahead of the queue. Boxed, since there rarely is one.
    pub(super) pong: Option<Box<Frame>>,
    /// A ping is to be written ahead of the queue.
    pub(super) ping: bool,
    /// Bytes pushed since the beginning.
    pub(super) pushed: u64,
    /// Bytes written since the beginning: the difference is queued.
    pub(super) written: u64,
    pub(super) limit: usize,
    /// This queue's share of the bytes queued in the hub.
    share: BudgetShare,
    /// The owner is in its turn and checks the queue before that ends: no need to wake it.
    pub(super) in_turn: bool,
    /// The sink accepts no more; the owner waits for it.
    pub(super) blocked: bool,
    /// The owner's last turn ended before everything was written.
    pub(super) stalled: bool,
    /// Frames were taken out for writing and have not been returned.
    pub(super) in_flight: bool,
    /// The cost of the frames taken out.
    taken: usize,
    /// The queue overflowed while frames were taken out: they are dropped when they are returned,
    /// except a half-written one.
    overflowed: bool,
    /// The owner is to be woken when the current writer is done.
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
            discardable: None,
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

    pub(super) fn queued_bytes(&self) -> usize {
        usize::try_from(self.pushed - self.written).unwrap_or(usize::MAX)
    }

    /// Returns the bytes queued without those being written at this moment.
    pub(super) fn bytes_not_in_flight(&self) -> usize {
        self.queued_bytes() - if self.in_flight { self.taken.min(self.queued_bytes()) } else { 0 }
    }

    /// Whether a frame of this cost fits within the limit.
    pub(super) fn fits(&self, cost: usize) -> bool {
        self.bytes_not_in_flight() + cost <= self.limit
    }

    /// Whether a reply of this cost fits within twice the limit.
    pub(super) fn fits_reply(&self, cost: usize) -> bool {
        cost <= self.limit && self.bytes_not_in_flight() + cost <= self.limit.saturating_mul(2)
    }

    pub(super) fn backlog(&self) -> Backlog {
        Backlog { pushed: self.pushed, written: self.written }
    }

    /// Whether nothing of the first frame has been written.
    pub(super) fn is_whole(&self) -> bool {
        self.offset == 0
    }

    pub(super) fn has_room(&self) -> bool {
        self.queued_bytes() <= self.limit / 2
    }

    /// Whether frames pushed now would never be written.
    pub(super) fn is_over(&self) -> bool {
        self.closing.is_some() || matches!(self.writer, Writer::Gone)
    }

    pub(super) fn ready_waiters(&mut self) -> Vec<Waker> {
        let (has_room, is_empty) = (self.has_room(), self.queued_bytes() == 0);
        self.waiters.ready(self.written, has_room, is_empty)
    }

    /// Records that the sink is broken, and wakes the owner to end the connection.
    pub(super) fn mark_broken(&mut self) {
        self.writer = Writer::Gone;
        self.discard_all();
        self.wake_owner();
    }

    pub(super) fn wake_owner(&self) {
        if let Some(owner) = &self.owner {
            owner.wake_by_ref();
        }
    }

    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.pong.is_some() || self.ping
    }

    /// Whether something is queued because the sink is blocked, as far as is known.
    pub(super) fn is_behind(&self) -> bool {
        // Where only the owner writes, it is writing whenever something is queued.
        self.queued_bytes() > 0 && (self.blocked || self.in_turn || matches!(self.writer, Writer::Owner))
    }

    /// Whether the owner may write past the queue.
    pub(super) fn is_clear(&self) -> bool {
        !self.has_work() && !self.blocked && matches!(self.writer, Writer::Free(_) | Writer::Owner)
    }

    pub(super) fn count_written(&mut self, cost: usize) {
        self.written = self.pushed.min(self.written + cost as u64);
    }

    /// Charges all queued bytes to the hub's total, since they are not written at once.
    pub(super) fn charge(&mut self) -> Charge {
        let counted = self.share.set(self.queued_bytes());
        self.wake_if_high(counted)
    }

    /// Charges queued bytes after a push, in steps.
    pub(super) fn charge_growth(&mut self) -> Charge {
        let counted = self.share.grow(self.queued_bytes());
        self.wake_if_high(counted)
    }

    /// Wakes the owner if slow consumers should be closed: it can start that without this lock.
    fn wake_if_high(&self, counted: Charge) -> Charge {
        if counted == Charge::High {
            self.wake_owner();
        }
        counted
    }

    /// Updates the charge after bytes were written or dropped.
    pub(super) fn refund(&mut self) {
        if self.share.is_counted() {
            self.share.set(self.queued_bytes());
        }
    }

    pub(super) fn count_overflow(&self) {
        self.share.count_overflow();
    }

    /// Drops all frames except a half-written one. Frames being written are dropped when they are
    /// returned.
    pub(super) fn drop_whole_frames(&mut self) {
        self.overflowed = self.in_flight;
        (self.pong, self.ping, self.discardable) = (None, false, None);
        let half = (self.offset > 0).then(|| self.queue.pop_front()).flatten();
        self.queue = Queue::default();
        let mut waits = 0;
        if let Some(frame) = half {
            let (half, _) = frame.split_after(self.offset);
            waits = half.cost();
            self.queue.push_back(half);
        }
        self.written = self.pushed.saturating_sub(waits as u64);
        self.refund();
    }

    /// Removes all frames, which will not be written.
    pub(super) fn discard_all(&mut self) -> Queue {
        (self.pong, self.ping, self.discardable) = (None, false, None);
        self.offset = 0;
        self.blocked = false;
        self.written = self.pushed;
        self.refund();
        mem::take(&mut self.queue)
    }

    /// Takes the sink, if it is free and not blocked.
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

    /// Returns the sink, or drops it if the outbox was detached.
    pub(super) fn return_sink(&mut self, sink: S) {
        if matches!(self.writer, Writer::Busy) {
            self.writer = Writer::Free(sink);
        }
    }

    /// Takes the sink and the queue, even if the sink is blocked.
    pub(super) fn start_retry(&mut self) -> Option<(S, Writing)> {
        let blocked = std::mem::take(&mut self.blocked);
        let started = if self.queue.is_empty() { None } else { self.start_writing() };
        if started.is_none() {
            self.blocked = blocked;
        }
        started
    }

    /// Takes the sink and the queue.
    pub(super) fn start_writing(&mut self) -> Option<(S, Writing)> {
        let sink = self.take_sink()?;
        Some((sink, self.take_queue()))
    }

    /// Takes the queue, with a pending ping and pong in front.
    pub(super) fn take_queue(&mut self) -> Writing {
        if mem::take(&mut self.ping) {
            self.push_ahead(ping());
        }
        if let Some(pong) = self.pong.take() {
            self.push_ahead(*pong);
        }
        self.in_flight = true;
        self.taken = self.queued_bytes();
        Writing { queue: mem::take(&mut self.queue), offset: mem::take(&mut self.offset) }
    }

    /// Puts back the sink and what it did not accept. `wrote` is `None` if the sink is broken.
    /// Returns the wakers to wake once the lock is released.
    pub(super) fn finish_writing(&mut self, sink: S, writing: Writing, wrote: Option<usize>) -> Vec<Waker> {
        self.return_sink(sink);
        if mem::take(&mut self.owner_waits) {
            self.wake_owner();
        }
        if matches!(self.writer, Writer::Gone) {
            return Vec::new();
        }
        let Some(written) = wrote else {
            self.mark_broken();
            return self.waiters.all();
        };
        if written < writing.len() {
            self.blocked = true;
            // Only the owner can wait for the sink. In its turn it checks this anyway.
            if !self.in_turn {
                self.wake_owner();
            }
        }
        self.finish_queue(writing, written)
    }

    /// Puts back what was not written. Returns the wakers to wake once the lock is released.
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
            self.forget_discardable(first);
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

    /// Queues `out`, of which `written` bytes have been written, ahead of everything.
    pub(super) fn put_in_front(&mut self, out: &[u8], written: usize) {
        let start = frame_start(out, written);
        self.push_ahead(Frame::new(Bytes::copy_from_slice(&out[start..])));
        self.offset += written - start;
    }

    /// Queues a frame ahead of everything except a half-written frame.
    pub(super) fn push_ahead(&mut self, frame: Frame) {
        self.pushed += frame.cost() as u64;
        self.waiters.put_off(frame.cost() as u64);
        let half = (self.offset > 0).then(|| self.queue.pop_front()).flatten();
        let Some(half) = half else { return self.queue.push_front(frame) };
        let (half, rest) = half.split_after(self.offset);
        if let Some(rest) = rest {
            // One entry became two: add the overhead of the second.
            self.pushed += (rest.cost() - rest.len()) as u64;
            self.waiters.put_off((rest.cost() - rest.len()) as u64);
            self.queue.push_front(rest);
        }
        self.queue.push_front(frame);
        self.queue.push_front(half);
    }
}

/// Frames taken out of the queue for writing.
#[derive(Debug)]
pub(crate) struct Writing {
    queue: Queue,
    offset: usize,
}

impl Writing {
    /// Returns the bytes of the next write.
    fn len(&self) -> usize {
        self.queue.iter().take(MAX_SLICES).map(Frame::len).sum::<usize>() - self.offset
    }

    /// Calls `write` with the slices of the next write.
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

    /// Writes with [`Sink::write_now`]; `None` if the sink is broken.
    pub(super) fn write_now_to<S: Sink>(&self, sink: &S) -> Option<usize> {
        self.with_slices(|slices| sink.write_now(slices)).ok()
    }

    /// Writes with [`Sink::try_write`]; `None` if the sink is broken.
    pub(super) fn write_to<S: Sink>(&self, sink: &S) -> Option<usize> {
        self.with_slices(|slices| sink.try_write(slices)).ok()
    }
}
