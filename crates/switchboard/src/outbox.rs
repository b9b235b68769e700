//! The frames that wait to be written to one connection, bounded in bytes.

mod budget;
#[cfg(any(feature = "axum-ws", test))]
mod by_frame;
mod exclusive_write;
mod mark_index;
mod marks;
#[cfg(test)]
mod marks_tests;
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
    marks::Mark,
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

/// From so many queued bytes on, whoever sends should write at once; also from half of the limit on.
const FLUSH_AT: usize = 64 * 1024;

/// Anyone may push, and anyone may write: one at a time, whoever holds the sink, which is taken out
/// of the outbox for one non-blocking write. The lock is never held while writing.
///
/// The connection's task is the owner. During its turn only it writes; it is the one that waits
/// when the socket takes no more. Frames leave in the order in which they were pushed.
#[derive(Debug)]
pub(crate) struct Outbox<S> {
    state: Mutex<State<S>>,
    /// As `State::closing`, for a look without the lock.
    closed: AtomicBool,
    /// Whether anything is queued or being written, for a look without the lock.
    queued: AtomicBool,
    /// Whether more than half of the limit waits, or did a moment ago, for a look without the lock.
    pressed: AtomicBool,
}

impl<S: Sink> Outbox<S> {
    /// What waits in it counts in `total`, too.
    pub(crate) fn new(limit: usize, total: Arc<Budget>) -> Self {
        let state = Mutex::new(State::new(limit, total));
        let no = || AtomicBool::new(false);
        Self { state, closed: no(), queued: no(), pressed: no() }
    }

    /// From now on everyone may write.
    pub(crate) fn attach(&self, sink: S) {
        self.state.lock().writer = Writer::Free(sink);
    }

    /// Nothing is written any more; the sink is dropped, by whoever has it.
    pub(crate) fn detach(&self) {
        let mut state = self.state.lock();
        let sink = std::mem::replace(&mut state.writer, Writer::Gone);
        let queue = state.forget();
        drop(state);
        drop((sink, queue));
    }

    /// Queues a frame. Where it does not fit and anyone can write, or something may be dropped, it
    /// first asks for that.
    pub(crate) fn push(&self, frame: Frame, flush_by: FlushBy) -> Pushed {
        self.push_if(frame, flush_by, true)
    }

    /// Queues a frame. Where it does not fit the queue overflows, which closes the connection.
    pub(crate) fn push_anyway(&self, frame: Frame, flush_by: FlushBy) -> Pushed {
        self.push_if(frame, flush_by, false)
    }

    fn push_if(&self, frame: Frame, flush_by: FlushBy, may_ask: bool) -> Pushed {
        let state = self.state.lock();
        if state.closing.is_some() {
            return Pushed::Closed;
        }
        if !state.fits(frame.cost()) {
            let can_write = matches!(state.writer, Writer::Free(_)) && !state.blocked;
            if may_ask && (can_write || state.marks.is_some()) {
                return Pushed::NoRoom;
            }
            self.give_up_now(state);
            return Pushed::Closed;
        }
        self.enqueue(state, frame, flush_by)
    }

    #[inline]
    fn enqueue(&self, mut state: impl DerefMut<Target = State<S>>, frame: Frame, flush_by: FlushBy) -> Pushed {
        let anyone = matches!(state.writer, Writer::Free(_));
        let first = state.queue.is_empty();
        self.append(&mut state, frame);
        // Else somebody is at it and goes on with this, or nobody can.
        let idle = !state.in_turn && !state.blocked && !matches!(state.writer, Writer::Busy);
        // What waits may have been promised by a caller whose turn goes on: that is no promise for this one.
        let told = match flush_by {
            FlushBy::Caller => anyone || !first,
            FlushBy::Owner => false,
        };
        if idle && !told {
            state.wake_owner();
        }
        let waits = state.waits();
        // Else it leaves at once.
        if (state.blocked || state.stalled) && state.grown() == Charge::Exceeded {
            self.give_up_now(state);
            return Pushed::Closed;
        }
        if waits > state.limit / 2 {
            self.pressed.store(true, Relaxed);
            Pushed::AboveWatermark
        } else if anyone && !state.blocked && waits > FLUSH_AT {
            Pushed::WriteNow
        } else {
            Pushed::Queued
        }
    }

    /// Queues a reply of the connection's own task. A request that was in flight when the queue became
    /// half full is answered all the same: replies may take up to twice the limit.
    pub(crate) fn push_reply(&self, frame: Frame) -> Pushed {
        let state = self.state.lock();
        if state.closing.is_none() && !state.fits(frame.cost()) && state.fits_reply(frame.cost()) {
            return self.enqueue(state, frame, FlushBy::Owner);
        }
        drop(state);
        self.push(frame, FlushBy::Owner)
    }

    /// Queues the last words of the connection's own task, which may still speak while it closes.
    pub(crate) fn push_last(&self, frame: Frame) {
        let mut state = self.state.lock();
        if state.closing.as_ref().is_some_and(|closing| closing.code != CloseCode::SLOW_CONSUMER) {
            self.append(&mut state, frame);
        }
    }

    /// Queues the close frame, behind all the rest.
    pub(crate) fn push_close(&self, frame: Frame) {
        let mut state = self.state.lock();
        self.append(&mut state, frame);
    }

    /// Answers a ping, ahead of everything that is queued and not half-written. Only the last pong
    /// is kept while none can leave.
    pub(crate) fn push_pong(&self, frame: Frame) {
        self.state.lock().pong = Some(Box::new(frame));
        self.queued.store(true, Relaxed);
    }

    /// Asks the peer for a sign of life, ahead of everything that is queued and not half-written.
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

    /// Has the owner look at what it was told.
    pub(crate) fn wake_owner(&self) {
        self.state.lock().wake_owner();
    }

    fn append(&self, state: &mut State<S>, frame: Frame) {
        state.pushed += frame.cost() as u64;
        if let Some(marks) = &mut state.marks {
            marks.count_queued();
        }
        state.queue.push_back(frame);
        self.queued.store(true, Relaxed);
    }

    /// From now on nothing can be pushed. The first call counts.
    pub(crate) fn close(&self, code: CloseCode, reason: &str) {
        let mut state = self.state.lock();
        if state.closing.is_none() {
            let waiting = self.shut(&mut state, Closing { code, reason: reason.into() });
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Who is to be woken.
    fn shut(&self, state: &mut State<S>, closing: Closing) -> Vec<Waker> {
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

    /// How many bytes wait.
    pub(crate) fn buffered(&self) -> usize {
        self.state.lock().waits()
    }

    /// Waits for the queue to get shorter.
    pub(crate) fn wait(&self, until: Until) -> Wait<'_, S> {
        Wait::new(self, until)
    }

    /// The owner's turn begins: until [`end_turn`](Self::end_turn) only it writes, and only closing
    /// wakes it. Whether nothing is waiting or being written, so that the owner may write directly.
    pub(crate) fn begin_turn(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state.lock();
        state.in_turn = true;
        let old = match &state.owner {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            _ => state.owner.replace(cx.waker().clone()),
        };
        let is_clear = state.is_clear();
        drop(state);
        // Wakers are foreign code, which is not to run with anything locked.
        drop(old);
        is_clear
    }

    /// The owner's turn ends. `false` if something is queued that it should write before, unless it
    /// is `waiting` to be able to write.
    pub(crate) fn end_turn(&self, waiting: bool) -> bool {
        let mut state = self.state.lock();
        state.stalled = waiting;
        if waiting {
            let wakers = self.count(&mut state);
            if !wakers.is_empty() {
                drop(state);
                wakers.into_iter().for_each(Waker::wake);
                state = self.state.lock();
            }
        }
        // Whoever is writing now goes on with it.
        let busy = matches!(state.writer, Writer::Busy | Writer::Gone);
        if state.has_something() && !waiting && !state.blocked && !busy {
            return false;
        }
        state.in_turn = false;
        true
    }

    /// Whether anything is queued or being written.
    pub(crate) fn has_queued(&self) -> bool {
        self.queued.load(Relaxed)
    }

    /// Whether more than half of the limit may wait.
    pub(crate) fn is_pressed(&self) -> bool {
        self.pressed.load(Relaxed)
    }

    /// What waits; `None` if that is at most half of the limit.
    pub(crate) fn pressing(&self) -> Option<Backlog> {
        let state = self.state.lock();
        let pressed = !state.has_room();
        self.pressed.store(pressed, Relaxed);
        pressed.then(|| state.backlog())
    }

    pub(crate) fn backlog(&self) -> Backlog {
        self.state.lock().backlog()
    }

    /// Writes what is queued, outside of the owner's turn, as far as the sink takes it.
    pub(crate) fn flush(&self) {
        self.write_while(|state| !state.in_turn);
    }

    /// Writes what is queued, in the owner's turn.
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
            if !state.has_something() {
                return Wrote::All;
            }
            let Some((sink, writing)) = state.start_writing() else { return Wrote::Broken };
            drop(state);
            let wrote = writing.write_to(&sink);
            state = self.state.lock();
            let broken = wrote.is_none();
            let mut waiting = state.finish_writing(sink, writing, wrote);
            if state.blocked {
                waiting.append(&mut self.count(&mut state));
            } else {
                state.count_less();
            }
            // A broken sink is something to be looked at, too.
            self.queued.store(state.has_something() || broken, Relaxed);
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

    /// In the owner's turn: whether the sink takes anything after all. The operating system says so by
    /// itself only once there is much room.
    pub(crate) fn poke(&self) -> bool {
        let Some((sink, writing)) = self.state.lock().start_poking() else { return false };
        let wrote = writing.poke(&sink);
        let mut state = self.state.lock();
        let waiting = state.finish_writing(sink, writing, wrote);
        state.count_less();
        self.queued.store(true, Relaxed);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        wrote.is_some_and(|written| written > 0)
    }

    /// Writes what the owner put out in this turn, which goes ahead of all that was queued in it.
    /// Leaves nothing in `out`: what the sink does not take is queued in front.
    pub(crate) fn write_out(&self, out: &mut Vec<u8>) -> Wrote {
        let mut state = self.state.lock();
        let Some(sink) = state.take_sink() else {
            self.put_back(&mut state, out, 0);
            return if matches!(state.writer, Writer::Gone) { Wrote::Broken } else { Wrote::Blocked };
        };
        drop(state);
        let wrote = sink.try_write(&[io::IoSlice::new(out)]);
        let mut state = self.state.lock();
        state.give_back(sink);
        let Ok(written) = wrote else {
            out.clear();
            state.break_off();
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

    /// Queues in front what the owner could not write: `out`, of which so much has left.
    pub(crate) fn put_back_out(&self, out: &mut Vec<u8>, written: usize) {
        if written < out.len() {
            self.put_back(&mut self.state.lock(), out, written);
        }
        out.clear();
    }

    fn put_back(&self, state: &mut State<S>, out: &mut Vec<u8>, written: usize) {
        state.put_in_front(out, written);
        self.pressed.store(!state.has_room(), Relaxed);
        self.queued.store(true, Relaxed);
        out.clear();
    }

    /// The sink takes more again.
    pub(crate) fn unblock(&self) {
        self.state.lock().blocked = false;
    }
}
