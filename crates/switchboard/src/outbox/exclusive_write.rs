//! Writing where only the owner can: TLS and HTTP/2.

use std::{sync::atomic::Ordering::Relaxed, task::Waker};

use super::{Outbox, Sink, Writing};

impl<S: Sink> Outbox<S> {
    /// Takes the queue for the owner to write.
    pub(crate) fn start(&self) -> Option<Writing> {
        let mut state = self.state.lock();
        state.has_work().then(|| state.take_queue())
    }

    /// Puts back the queue taken by [`start`](Self::start), of which `written` bytes were written.
    pub(crate) fn finish(&self, writing: Writing, written: usize) {
        let mut state = self.state.lock();
        let waiting = state.finish_queue(writing, written);
        state.refund();
        self.queued.store(state.has_work(), Relaxed);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}
