//! Overflow: closing a slow consumer.

use std::{ops::DerefMut, task::Waker};

use super::{
    Outbox, Sink,
    budget::Charge,
    state::{Closing, State},
};

impl<S: Sink> Outbox<S> {
    /// Closes the connection as a slow consumer. Returns `false` if it is already closing.
    pub(crate) fn overflow(&self) -> bool {
        let state = self.state.lock();
        let is_open = state.closing.is_none();
        if is_open {
            self.overflow_now(state);
        }
        is_open
    }

    /// Closes the connection as a slow consumer, and releases the lock.
    pub(super) fn overflow_now(&self, mut state: impl DerefMut<Target = State<S>>) {
        let waiting = self.close_slow_consumer(&mut state);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Drops queued frames and starts closing. Returns the wakers to wake once the lock is
    /// released.
    fn close_slow_consumer(&self, state: &mut State<S>) -> Vec<Waker> {
        state.drop_whole_frames();
        state.count_overflow();
        self.start_closing(state, Closing::slow_consumer())
    }

    /// Charges what stays queued to the hub's total, and overflows if that is exceeded. Returns the
    /// wakers to wake once the lock is released.
    pub(super) fn charge(&self, state: &mut State<S>) -> Vec<Waker> {
        if state.charge() == Charge::Exceeded && state.closing.is_none() {
            return self.close_slow_consumer(state);
        }
        Vec::new()
    }
}
