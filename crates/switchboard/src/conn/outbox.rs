//! The frames that wait to be written to one connection, bounded in bytes.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;
use switchboard_core::CloseCode;

use crate::transport::Frame;

/// Anyone may push; only the connection's task takes out. The lock is never held while writing.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// As `State::closing`, for a look without the lock.
    closed: AtomicBool,
    /// Whether `State::queue` holds anything, for a look without the lock.
    queued: AtomicBool,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Frame>,
    /// Of all that was ever pushed.
    pushed: u64,
    /// Of all that was ever written: the difference is what waits.
    written: u64,
    limit: usize,
    /// The task is in its turn and looks here again before it ends: no need to wake it.
    in_turn: bool,
    owner: Option<Waker>,
    closing: Option<Closing>,
    /// Tasks that wait for room.
    waiting: Vec<Waker>,
}

/// How the connection is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: CloseCode,
    pub(crate) reason: Box<str>,
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// Queued.
    Queued,
    /// Queued, and more than half of the limit waits now.
    Pressed,
    /// The connection is closing, as it is once its queue overflows.
    Closed,
}

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        let state = State {
            queue: VecDeque::new(),
            pushed: 0,
            written: 0,
            limit,
            in_turn: false,
            owner: None,
            closing: None,
            waiting: Vec::new(),
        };
        Self { state: Mutex::new(state), closed: AtomicBool::new(false), queued: AtomicBool::new(false) }
    }

    /// Queues a frame.
    pub(crate) fn push(&self, frame: Frame) -> Pushed {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return Pushed::Closed;
        }
        let cost = frame.cost();
        if state.waits() + cost > state.limit {
            if cost > state.limit {
                tracing::warn!(
                    bytes = cost,
                    limit = state.limit,
                    "one message is larger than a connection's outbound queue: raise `Config::max_outbound_bytes`"
                );
            }
            // What a peer that does not read has not got yet, it never will.
            state.queue = VecDeque::new();
            state.written = state.pushed;
            self.shut(&mut state, Closing { code: CloseCode::SLOW_CONSUMER, reason: "slow consumer".into() });
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
            return Pushed::Closed;
        }
        self.append(&mut state, frame, cost);
        if !state.in_turn && state.queue.len() == 1 {
            state.wake_owner();
        }
        if state.waits() > state.limit / 2 { Pushed::Pressed } else { Pushed::Queued }
    }

    /// Queues the last words of the connection's own task, which may still speak while it closes.
    pub(crate) fn push_reply(&self, frame: Frame) {
        let mut state = self.state.lock();
        match &state.closing {
            None => {
                drop(state);
                if self.push(frame.clone()) == Pushed::Closed {
                    // Closed by somebody else in between.
                    self.push_last(&mut self.state.lock(), frame);
                }
            }
            Some(_) => self.push_last(&mut state, frame),
        }
    }

    fn push_last(&self, state: &mut State, frame: Frame) {
        if state.closing.as_ref().is_some_and(|closing| closing.code != CloseCode::SLOW_CONSUMER) {
            let cost = frame.cost();
            self.append(state, frame, cost);
        }
    }

    fn append(&self, state: &mut State, frame: Frame, cost: usize) {
        state.pushed += cost as u64;
        state.queue.push_back(frame);
        self.queued.store(true, Relaxed);
    }

    /// From now on nothing can be pushed. The first call counts.
    pub(crate) fn close(&self, code: CloseCode, reason: &str) {
        let mut state = self.state.lock();
        if state.closing.is_none() {
            self.shut(&mut state, Closing { code, reason: reason.into() });
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    fn shut(&self, state: &mut State, closing: Closing) {
        state.closing = Some(closing);
        self.closed.store(true, Relaxed);
        state.wake_owner();
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

    /// How many bytes were ever pushed.
    pub(crate) fn pushed(&self) -> u64 {
        self.state.lock().pushed
    }

    /// Ready with `true` once at most half of the limit waits, with `false` once closing.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.poll_until(cx, |state| state.waits() <= state.limit / 2)
    }

    /// Ready with `true` once so many bytes were written, with `false` once closing.
    pub(crate) fn poll_written(&self, bytes: u64, cx: &mut Context<'_>) -> Poll<bool> {
        self.poll_until(cx, |state| state.written >= bytes)
    }

    fn poll_until(&self, cx: &mut Context<'_>, condition: impl FnOnce(&State) -> bool) -> Poll<bool> {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return Poll::Ready(false);
        }
        if condition(&state) {
            return Poll::Ready(true);
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The task's turn begins: until [`end_turn`](Self::end_turn) it takes frames out by itself,
    /// and only closing wakes it.
    pub(crate) fn begin_turn(&self, cx: &Context<'_>) {
        let mut state = self.state.lock();
        state.in_turn = true;
        match &state.owner {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => state.owner = Some(cx.waker().clone()),
        }
    }

    /// Exchanges what is queued for an empty queue, whose space is used again.
    pub(crate) fn take(&self, batch: &mut VecDeque<Frame>) {
        let mut state = self.state.lock();
        std::mem::swap(&mut state.queue, batch);
        self.queued.store(false, Relaxed);
    }

    /// Whether anything is queued that was pushed on this thread, or by another some time ago.
    pub(crate) fn has_queued(&self) -> bool {
        self.queued.load(Relaxed)
    }

    /// Frames of `cost` were handed over to the transport and flushed.
    pub(crate) fn written(&self, cost: usize) {
        let mut state = self.state.lock();
        state.written = state.pushed.min(state.written + cost as u64);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The task's turn ends. `false` if something was queued since the last [`take`](Self::take)
    /// and it should go on.
    pub(crate) fn end_turn(&self, blocked: bool) -> bool {
        let mut state = self.state.lock();
        if !blocked && !state.queue.is_empty() {
            return false;
        }
        state.in_turn = false;
        true
    }
}

impl State {
    fn waits(&self) -> usize {
        usize::try_from(self.pushed - self.written).unwrap_or(usize::MAX)
    }

    fn wake_owner(&self) {
        if let Some(owner) = &self.owner {
            owner.wake_by_ref();
        }
    }
}
