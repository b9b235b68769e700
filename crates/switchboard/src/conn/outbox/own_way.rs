//! How the owner writes where nobody else can: TLS, HTTP/2, axum's transport.

use std::{sync::atomic::Ordering::Relaxed, task::Waker};

use super::{Outbox, Sink, Writing, state::ping};
use crate::transport::Frame;

impl<S: Sink> Outbox<S> {
    /// Takes what is queued to write it in a way of the owner's own.
    pub(crate) fn start(&self) -> Option<Writing> {
        let mut state = self.state.lock();
        state.has_something().then(|| state.take_queue())
    }

    /// Gives back what is left of what [`start`](Self::start) gave.
    pub(crate) fn finish(&self, writing: Writing, written: usize) {
        let mut state = self.state.lock();
        let waiting = state.finish_queue(writing, written);
        state.count_less();
        self.queued.store(state.has_something(), Relaxed);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Takes the next frames, whose [`cost`](Frame::cost) counts until [`written`](Self::written).
    pub(crate) fn pop(&self) -> Option<Frame> {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.ping) {
            state.push_ahead(ping());
        }
        let frame = state.queue.pop_front();
        if let Some(frame) = &frame {
            state.unmark(frame);
        }
        self.queued.store(state.has_something(), Relaxed);
        frame
    }

    /// Frames of `cost` have left.
    pub(crate) fn written(&self, cost: usize) {
        let mut state = self.state.lock();
        state.count_written(cost);
        state.count_less();
        let waiting = state.ready_waiters();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}
