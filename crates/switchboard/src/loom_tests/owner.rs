//! A model of a connection's task.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
};

use super::Member;
use crate::outbox::Wrote;

/// A connection's task, which runs a turn when it is woken.
pub(super) struct Owner {
    conn: Arc<Member>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

impl Owner {
    pub(super) fn new(conn: &Arc<Member>) -> Self {
        Self { conn: Arc::clone(conn), woken: Arc::default() }
    }

    /// Runs a turn that begins with `handle`.
    pub(super) fn turn(&self, handle: impl FnOnce()) {
        self.turn_with(|_| handle());
    }

    /// Runs a turn that begins with `handle`, which gets whether it may write past the queue.
    pub(super) fn turn_with(&self, handle: impl FnOnce(bool)) {
        self.woken.0.store(false, SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken));
        let outbox = &self.conn.outbox;
        handle(outbox.begin_turn(&Context::from_waker(&waker)));
        loop {
            let done = match outbox.write() {
                Wrote::Blocked => {
                    // The model's socket is writable again at once.
                    outbox.unblock();
                    continue;
                }
                Wrote::Busy => outbox.end_turn(true),
                Wrote::All | Wrote::Broken => outbox.end_turn(false),
            };
            if done {
                return;
            }
        }
    }

    /// Runs turns until it is not woken any more. Once all other threads are done, nothing may be
    /// left in the queue.
    pub(super) fn settle(&self) {
        while self.woken.0.load(SeqCst) {
            self.turn(|| {});
        }
    }
}
