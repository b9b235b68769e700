//! A subscriber with only a queue, and a sink instead of a socket.

use std::{
    io::{self, IoSlice},
    sync::{Arc, atomic::Ordering::SeqCst},
};

use crate::{
    fanout::{Subscriber, Topic},
    outbox::{Outbox, Sink},
    sync::{AtomicUsize, Mutex},
    wire::{Frame, Variants},
};

/// The key of a member that is in no topic or is leaving it.
pub(super) const GONE: usize = usize::MAX;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: u32,
    pub(super) outbox: Outbox<Pipe>,
    /// Its key in its topic, or `GONE`.
    pub(super) key: AtomicUsize,
}

impl Subscriber for Member {
    type Sink = Pipe;
    type Id = u32;
    type Filter = ();
    type Rule = ();

    fn id(&self) -> u32 {
        self.id
    }

    fn outbox(&self) -> &Outbox<Pipe> {
        &self.outbox
    }

    fn variant(&self, frame: &Frame, _: &mut Variants) -> Option<Frame> {
        Some(frame.clone())
    }

    fn check_size(&self, _: &Frame) {}

    fn write_early(&self) {
        self.outbox.flush();
    }

    fn make_room(&self, _: usize) {}

    fn gap(&self, _: &str) -> Option<Frame> {
        None
    }

    fn moved(&self, _: &Topic<Self>, from: usize, to: usize) -> bool {
        // Fails if the member is leaving.
        self.key.compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }
}

/// A sink that accepts `portion` bytes per write, and asserts that writes do not overlap.
#[derive(Debug, Clone)]
pub(super) struct Pipe(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    written: Vec<u8>,
    portion: usize,
    busy: bool,
}

impl Pipe {
    pub(super) fn new(portion: usize) -> Self {
        Self(Arc::new(Mutex::new(State { written: Vec::new(), portion, busy: false })))
    }

    pub(super) fn written(&self) -> Vec<u8> {
        self.0.lock().written.clone()
    }

    fn enter(&self) -> usize {
        let mut state = self.0.lock();
        assert!(!state.busy, "two threads write at once");
        state.busy = true;
        state.portion
    }
}

impl Sink for Pipe {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let portion = self.enter();
        // Gives another writer the chance to interfere.
        loom::thread::yield_now();
        let mut state = self.0.lock();
        state.busy = false;
        let before = state.written.len();
        for slice in slices {
            let room = portion - (state.written.len() - before);
            state.written.extend_from_slice(&slice[..room.min(slice.len())]);
        }
        Ok(state.written.len() - before)
    }
}
