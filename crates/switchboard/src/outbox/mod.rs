//! The outbound queue of one connection, bounded in bytes.

mod budget;
#[cfg(any(feature = "axum-ws", test))]
mod by_frame;
mod discard_index;
mod discardable;
#[cfg(test)]
mod discardable_tests;
mod exclusive_write;
mod outcome;
mod overflow;
#[cfg(test)]
mod overflow_tests;
mod queue;
#[cfg(test)]
mod queue_tests;
mod state;
mod wait;

use std::{
    io,
    ops::DerefMut,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Waker},
};

use switchboard_core::CloseCode;

pub(crate) use self::{
    budget::Budget,
    discardable::DiscardPolicy,
    outcome::{FlushBy, Pushed, Wrote},
    state::{Backlog, Closing, Sink},
    wait::{Until, Wait},
};
use self::{
    budget::Charge,
    state::{State, Writer, Writing},
};
use crate::{
    sync::{AtomicBool, Mutex},
    wire::Frame,
};

/// If more bytes than this are queued, or more than half of the limit, the sender should write at
/// once.
const FLUSH_AT: usize = 64 * 1024;

/// The outbound queue of a connection, and its sink.
///
/// Any thread may push frames, and any thread may write: it takes the sink out of the outbox for
/// one non-blocking write, so that there is one writer at a time. The lock is never held while
/// writing. Frames are written in the order in which they were pushed.
///
/// The connection's task is the owner. During its turn only the owner writes, and only the owner
/// waits for the sink to become writable.
#[derive(Debug)]
pub(crate) struct Outbox<S> {
    state: Mutex<State<S>>,
    /// Whether `State::closing` is set, readable without the lock.
    closed: AtomicBool,
    /// Whether anything is queued or being written, readable without the lock.
    queued: AtomicBool,
    /// Whether more than the watermark, half of the limit, is queued or recently was, readable
    /// without the lock.
    above_watermark: AtomicBool,
}

impl<S: Sink> Outbox<S> {
    /// Creates a queue limited to `limit` bytes, which also count in `total`.
    pub(crate) fn new(limit: usize, total: Arc<Budget>) -> Self {
        let state = Mutex::new(State::new(limit, total));
        let no = || AtomicBool::new(false);
        Self { state, closed: no(), queued: no(), above_watermark: no() }
    }

    /// Sets the sink: from now on any thread may write.
    pub(crate) fn attach(&self, sink: S) {
        self.state.lock().writer = Writer::Free(sink);
    }

    /// Stops writing and drops the queue and the sink. A writer that has taken the sink drops it.
    pub(crate) fn detach(&self) {
        let mut state = self.state.lock();
        let sink = std::mem::replace(&mut state.writer, Writer::Gone);
        let queue = state.discard_all();
        drop(state);
        drop((sink, queue));
    }

    /// Queues a frame. If it does not fit, returns [`Pushed::NoRoom`] if writing or dropping other
    /// frames may make room, else overflows.
    pub(crate) fn push(&self, frame: Frame, flush_by: FlushBy) -> Pushed {
        self.push_if(frame, flush_by, true)
    }

    /// Queues a frame. If it does not fit, the queue overflows, which closes the connection.
    pub(crate) fn push_anyway(&self, frame: Frame, flush_by: FlushBy) -> Pushed {
        self.push_if(frame, flush_by, false)
    }

    fn push_if(&self, frame: Frame, flush_by: FlushBy, may_retry: bool) -> Pushed {
        let state = self.state.lock();
        if state.closing.is_some() {
            return Pushed::Closed;
        }
        if !state.fits(frame.cost()) {
            let can_write = matches!(state.writer, Writer::Free(_)) && !state.blocked;
            if may_retry && (can_write || state.discardable.is_some()) {
                return Pushed::NoRoom;
            }
            self.overflow_now(state);
            return Pushed::Closed;
        }
        self.enqueue(state, frame, flush_by)
    }

    #[inline]
    fn enqueue(&self, mut state: impl DerefMut<Target = State<S>>, frame: Frame, flush_by: FlushBy) -> Pushed {
        let anyone = matches!(state.writer, Writer::Free(_));
        let first = state.queue.is_empty();
        self.append(&mut state, frame);
        // Otherwise a current writer continues with this frame, or the sink is blocked.
        let idle = !state.in_turn && !state.blocked && !matches!(state.writer, Writer::Busy);
        // `FlushBy::Owner` wakes even if something is queued: the caller that pushed that may flush
        // it only later.
        let has_writer = match flush_by {
            FlushBy::Caller => anyone || !first,
            FlushBy::Owner => false,
        };
        if idle && !has_writer {
            state.wake_owner();
        }
        let queued = state.queued_bytes();
        // Counted only if it will not be written at once.
        if (state.blocked || state.stalled) && state.charge_growth() == Charge::Exceeded {
            self.overflow_now(state);
            return Pushed::Closed;
        }
        if queued > state.limit / 2 {
            self.above_watermark.store(true, Relaxed);
            Pushed::AboveWatermark
        } else if anyone && !state.blocked && queued > FLUSH_AT {
            Pushed::WriteNow
        } else {
            Pushed::Queued
        }
    }

    /// Queues a reply from the connection's own task. Replies may take up to twice the limit, since
    /// requests that were in flight when backpressure began are still answered.
    pub(crate) fn push_reply(&self, frame: Frame) -> Pushed {
        let state = self.state.lock();
        if state.closing.is_none() && !state.fits(frame.cost()) && state.fits_reply(frame.cost()) {
            return self.enqueue(state, frame, FlushBy::Owner);
        }
        drop(state);
        self.push(frame, FlushBy::Owner)
    }

    /// Queues a last frame of the connection's own task while the connection is closing. Does
    /// nothing if it is closing as a slow consumer.
    pub(crate) fn push_last(&self, frame: Frame) {
        let mut state = self.state.lock();
        if state.closing.as_ref().is_some_and(|closing| closing.code != CloseCode::SLOW_CONSUMER) {
            self.append(&mut state, frame);
        }
    }

    /// Queues the close frame behind all others.
    pub(crate) fn push_close(&self, frame: Frame) {
        let mut state = self.state.lock();
        self.append(&mut state, frame);
    }

    /// Queues a pong ahead of everything except a half-written frame. It replaces an earlier pong
    /// that has not been written.
    pub(crate) fn push_pong(&self, frame: Frame) {
        self.state.lock().pong = Some(Box::new(frame));
        self.queued.store(true, Relaxed);
    }

    /// Queues a ping ahead of everything except a half-written frame.
    pub(crate) fn push_ping(&self, flush_by: FlushBy) {
        let mut state = self.state.lock();
        state.ping = true;
        self.queued.store(true, Relaxed);
        let anyone = matches!(state.writer, Writer::Free(_));
        let idle = !state.in_turn && !state.blocked && !matches!(state.writer, Writer::Busy);
        if idle && !(anyone && flush_by == FlushBy::Caller) {
            state.wake_owner();
        }
    }

    /// Wakes the owner.
    pub(crate) fn wake_owner(&self) {
        self.state.lock().wake_owner();
    }

    fn append(&self, state: &mut State<S>, frame: Frame) {
        state.pushed += frame.cost() as u64;
        if let Some(list) = &mut state.discardable {
            list.count_queued();
        }
        state.queue.push_back(frame);
        self.queued.store(true, Relaxed);
    }

    /// Closes the queue: nothing more can be pushed. The first call determines the code and reason.
    pub(crate) fn close(&self, code: CloseCode, reason: &str) {
        let mut state = self.state.lock();
        if state.closing.is_none() {
            let waiting = self.start_closing(&mut state, Closing { code, reason: reason.into() });
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Starts closing; returns the wakers to wake once the lock is released.
    fn start_closing(&self, state: &mut State<S>, closing: Closing) -> Vec<Waker> {
        state.closing = Some(closing);
        self.closed.store(true, Relaxed);
        state.wake_owner();
        state.waiters.all()
    }

    pub(crate) fn closing(&self) -> Option<Closing> {
        self.state.lock().closing.clone()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Bytes queued, including per-message overhead.
    pub(crate) fn buffered(&self) -> usize {
        self.state.lock().queued_bytes()
    }

    /// Waits until the queue reaches a state.
    pub(crate) fn wait(&self, until: Until) -> Wait<'_, S> {
        Wait::new(self, until)
    }

    /// Starts the owner's turn: until [`end_turn`](Self::end_turn) only the owner writes, and only
    /// closing wakes it.
    ///
    /// Returns `true` if nothing is queued or being written, so that the owner may write past the
    /// queue.
    pub(crate) fn begin_turn(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state.lock();
        state.in_turn = true;
        let old = match &state.owner {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            _ => state.owner.replace(cx.waker().clone()),
        };
        let is_clear = state.is_clear();
        drop(state);
        // Wakers are foreign code, which must not run under a lock.
        drop(old);
        is_clear
    }

    /// Ends the owner's turn. Returns `false` if the owner should first write what is queued,
    /// unless it is `waiting` for the sink.
    pub(crate) fn end_turn(&self, waiting: bool) -> bool {
        let mut state = self.state.lock();
        state.stalled = waiting;
        if waiting {
            let wakers = self.charge(&mut state);
            if !wakers.is_empty() {
                drop(state);
                wakers.into_iter().for_each(Waker::wake);
                state = self.state.lock();
            }
        }
        // A current writer continues with what is queued.
        let busy = matches!(state.writer, Writer::Busy | Writer::Gone);
        if state.has_work() && !waiting && !state.blocked && !busy {
            return false;
        }
        state.in_turn = false;
        true
    }

    /// Whether anything is queued or being written.
    pub(crate) fn has_queued(&self) -> bool {
        self.queued.load(Relaxed)
    }

    /// Whether more than half of the limit may be queued.
    pub(crate) fn is_above_watermark(&self) -> bool {
        self.above_watermark.load(Relaxed)
    }

    /// Returns the backlog if more than half of the limit is queued.
    pub(crate) fn backlog_above_watermark(&self) -> Option<Backlog> {
        let state = self.state.lock();
        let is_above = !state.has_room();
        self.above_watermark.store(is_above, Relaxed);
        is_above.then(|| state.backlog())
    }

    pub(crate) fn backlog(&self) -> Backlog {
        self.state.lock().backlog()
    }

    /// Writes queued frames as far as the sink accepts them, unless the owner is in its turn.
    pub(crate) fn flush(&self) {
        self.write_while(|state| !state.in_turn);
    }

    /// Writes queued frames in the owner's turn.
    pub(crate) fn write(&self) -> Wrote {
        self.write_while(|_| true)
    }

    fn write_while(&self, mine: impl Fn(&State<S>) -> bool) -> Wrote {
        let mut state = self.state.lock();
        while mine(&state) {
            if matches!(state.writer, Writer::Gone) {
                return Wrote::Broken;
            }
            if matches!(state.writer, Writer::Busy) {
                state.owner_waits |= state.in_turn;
                return Wrote::Busy;
            }
            if state.blocked {
                return Wrote::Blocked;
            }
            if !state.has_work() {
                return Wrote::All;
            }
            let Some((sink, writing)) = state.start_writing() else { return Wrote::Broken };
            drop(state);
            let wrote = writing.write_to(&sink);
            state = self.state.lock();
            let broken = wrote.is_none();
            let mut waiting = state.finish_writing(sink, writing, wrote);
            if state.blocked {
                waiting.append(&mut self.charge(&mut state));
            } else {
                state.refund();
            }
            // The flag also makes the owner notice a broken sink.
            self.queued.store(state.has_work() || broken, Relaxed);
            if !waiting.is_empty() {
                drop(state);
                waiting.into_iter().for_each(Waker::wake);
                state = self.state.lock();
            }
            if broken {
                return Wrote::Broken;
            }
        }
        Wrote::All
    }

    /// Tries to write although the sink is blocked, in the owner's turn. Returns `true` if
    /// something was written.
    ///
    /// The operating system reports a socket as writable only once much of its buffer is free.
    pub(crate) fn retry_blocked(&self) -> bool {
        let Some((sink, writing)) = self.state.lock().start_retry() else { return false };
        let wrote = writing.write_now_to(&sink);
        let mut state = self.state.lock();
        let waiting = state.finish_writing(sink, writing, wrote);
        state.refund();
        self.queued.store(true, Relaxed);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        wrote.is_some_and(|written| written > 0)
    }

    /// Writes the owner's own frames of this turn, ahead of everything queued during it. What the
    /// sink does not accept is queued in front; `out` is always empty afterwards.
    pub(crate) fn write_out(&self, out: &mut Vec<u8>) -> Wrote {
        let mut state = self.state.lock();
        let Some(sink) = state.take_sink() else {
            self.put_back(&mut state, out, 0);
            return if matches!(state.writer, Writer::Gone) { Wrote::Broken } else { Wrote::Blocked };
        };
        drop(state);
        let wrote = sink.try_write(&[io::IoSlice::new(out)]);
        let mut state = self.state.lock();
        state.return_sink(sink);
        let Ok(written) = wrote else {
            out.clear();
            state.mark_broken();
            self.queued.store(true, Relaxed);
            return Wrote::Broken;
        };
        if written == out.len() {
            out.clear();
            return Wrote::All;
        }
        state.blocked = true;
        self.put_back(&mut state, out, written);
        Wrote::Blocked
    }

    /// Queues in front what the owner could not write: `out` without its first `written` bytes.
    pub(crate) fn put_back_out(&self, out: &mut Vec<u8>, written: usize) {
        if written < out.len() {
            self.put_back(&mut self.state.lock(), out, written);
        }
        out.clear();
    }

    fn put_back(&self, state: &mut State<S>, out: &mut Vec<u8>, written: usize) {
        state.put_in_front(out, written);
        self.above_watermark.store(!state.has_room(), Relaxed);
        self.queued.store(true, Relaxed);
        out.clear();
    }

    /// Records that the sink is writable again.
    pub(crate) fn unblock(&self) {
        self.state.lock().blocked = false;
    }
}
