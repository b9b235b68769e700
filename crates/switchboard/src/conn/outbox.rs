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
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Frame>,
    /// Of what was pushed and not yet written.
    bytes: usize,
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

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        let state = State {
            queue: VecDeque::new(),
            bytes: 0,
            limit,
            in_turn: false,
            owner: None,
            closing: None,
            waiting: Vec::new(),
        };
        Self { state: Mutex::new(state), closed: AtomicBool::new(false) }
    }

    /// Queues a frame. `false` if the connection is closing, as it is once this overflows.
    pub(crate) fn push(&self, frame: Frame) -> bool {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return false;
        }
        let cost = frame.cost();
        if state.bytes + cost > state.limit {
            if cost > state.limit {
                tracing::warn!(
                    bytes = cost,
                    limit = state.limit,
                    "one message is larger than a connection's outbound queue: raise `Config::max_outbound_bytes`"
                );
            }
            // What a peer that does not read has not got yet, it never will.
            state.queue = VecDeque::new();
            self.shut(&mut state, Closing { code: CloseCode::SLOW_CONSUMER, reason: "slow consumer".into() });
            return false;
        }
        state.bytes += cost;
        state.queue.push_back(frame);
        if !state.in_turn && state.queue.len() == 1 {
            state.wake_owner();
        }
        true
    }

    /// Queues the last words of the connection's own task, which may still speak while it closes.
    pub(crate) fn push_reply(&self, frame: Frame) {
        let mut state = self.state.lock();
        if state.closing.as_ref().is_some_and(|closing| closing.code == CloseCode::SLOW_CONSUMER) {
            return;
        }
        if state.closing.is_none() {
            drop(state);
            self.push(frame);
            return;
        }
        state.bytes += frame.cost();
        state.queue.push_back(frame);
    }

    /// From now on nothing can be pushed. The first call counts.
    pub(crate) fn close(&self, code: CloseCode, reason: &str) {
        let mut state = self.state.lock();
        if state.closing.is_none() {
            self.shut(&mut state, Closing { code, reason: reason.into() });
        }
    }

    fn shut(&self, state: &mut State, closing: Closing) {
        state.closing = Some(closing);
        self.closed.store(true, Relaxed);
        state.wake_owner();
        for waker in state.waiting.drain(..) {
            waker.wake();
        }
    }

    pub(crate) fn closing(&self) -> Option<Closing> {
        self.state.lock().closing.clone()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    pub(crate) fn buffered(&self) -> usize {
        self.state.lock().bytes
    }

    /// Ready with `true` once at most `bytes` wait, with `false` once closing.
    pub(crate) fn poll_below(&self, bytes: usize, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.state.lock();
        if state.closing.is_some() {
            return Poll::Ready(false);
        }
        if state.bytes <= bytes {
            return Poll::Ready(true);
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The task's turn begins: until [`end_turn`](Self::end_turn), pushing wakes nobody.
    pub(crate) fn begin_turn(&self) {
        self.state.lock().in_turn = true;
    }

    /// Exchanges what is queued for an empty queue, whose space is used again.
    pub(crate) fn take(&self, batch: &mut VecDeque<Frame>) {
        std::mem::swap(&mut self.state.lock().queue, batch);
    }

    /// Frames of `cost` were handed over to the transport and flushed.
    pub(crate) fn written(&self, cost: usize) {
        let mut state = self.state.lock();
        state.bytes = state.bytes.saturating_sub(cost);
        for waker in state.waiting.drain(..) {
            waker.wake();
        }
    }

    /// The task's turn ends. `false` if something was queued since the last [`take`](Self::take)
    /// and it should go on.
    pub(crate) fn end_turn(&self, blocked: bool, cx: &Context<'_>) -> bool {
        let mut state = self.state.lock();
        if !blocked && !state.queue.is_empty() {
            return false;
        }
        state.in_turn = false;
        match &state.owner {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => state.owner = Some(cx.waker().clone()),
        }
        true
    }
}

impl State {
    fn wake_owner(&self) {
        if let Some(owner) = &self.owner {
            owner.wake_by_ref();
        }
    }
}
