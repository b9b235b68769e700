//! How the owner writes where nobody else can: TLS, HTTP/2.

use std::{sync::atomic::Ordering::Relaxed, task::Waker};

use super::{Outbox, Sink, Writing};

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
}
