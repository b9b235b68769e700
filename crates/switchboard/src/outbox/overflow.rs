//! What happens when too much waits.

use std::{ops::DerefMut, task::Waker};

use super::{
    Outbox, Sink,
    budget::Charge,
    state::{Closing, State},
};

impl<S: Sink> Outbox<S> {
    /// The peer does not read. `false` if the connection is closing already.
    pub(crate) fn overflow(&self) -> bool {
        let state = self.state.lock();
        let is_open = state.closing.is_none();
        if is_open {
            self.give_up_now(state);
        }
        is_open
    }

    pub(super) fn give_up_now(&self, mut state: impl DerefMut<Target = State<S>>) {
        let waiting = self.give_up(&mut state);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// What a peer that does not read has not got yet, it never will. Who is to be woken.
    fn give_up(&self, state: &mut State<S>) -> Vec<Waker> {
        state.drop_whole_frames();
        state.count_overflow();
        self.shut(state, Closing::slow_consumer())
    }

    /// Counts what stays queued, which may be too much together with what others have. Who is to be
    /// woken.
    pub(super) fn count(&self, state: &mut State<S>) -> Vec<Waker> {
        if state.count() == Charge::Exceeded && state.closing.is_none() {
            return self.give_up(state);
        }
        Vec::new()
    }
}
