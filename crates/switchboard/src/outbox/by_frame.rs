//! Writing frame by frame, on axum's transport.

use std::{sync::atomic::Ordering::Relaxed, task::Waker};

use super::{Outbox, Sink, state::ping};
use crate::wire::Frame;

impl<S: Sink> Outbox<S> {
    /// Takes the next entry, whose [`cost`](Frame::cost) counts until [`written`](Self::written).
    pub(crate) fn pop(&self) -> Option<Frame> {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.ping) {
            state.push_ahead(ping());
        }
        let frame = state.queue.pop_front();
        if let Some(frame) = &frame {
            state.forget_discardable(frame);
        }
        self.queued.store(state.has_work(), Relaxed);
        frame
    }

    /// Records that frames of this cost were written.
    pub(crate) fn written(&self, cost: usize) {
        let mut state = self.state.lock();
        state.count_written(cost);
        state.refund();
        let waiting = state.ready_waiters();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}
