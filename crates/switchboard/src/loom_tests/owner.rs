//! The task of a connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
};

use super::Member;
use crate::outbox::Wrote;

/// The connection's task: it has its turn when it is woken.
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

    /// A turn that begins with `handle`.
    pub(super) fn turn(&self, handle: impl FnOnce()) {
        self.turn_with(|_| handle());
    }

    /// The same; `handle` is told whether it may write past the queue.
    pub(super) fn turn_with(&self, handle: impl FnOnce(bool)) {
        self.woken.0.store(false, SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken));
        let outbox = &self.conn.outbox;
        handle(outbox.begin_turn(&Context::from_waker(&waker)));
        loop {
            let done = match outbox.write() {
                Wrote::Blocked => {
                    // The socket can be written to again at once.
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

    /// All turns that it was woken for. When everybody else is done, too, nothing may be left.
    pub(super) fn settle(&self) {
        while self.woken.0.load(SeqCst) {
            self.turn(|| {});
        }
    }
}
