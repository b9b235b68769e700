//! Frames, and a sink in the place of a socket.

mod frame;

use std::{
    io::{self, IoSlice},
    sync::Arc,
};

pub(crate) use self::frame::{Frame, frame_start};
use crate::{conn::Sink, sync::Mutex};

/// All take frames as they are.
#[derive(Debug, Default)]
pub(crate) struct Variants {}

/// Takes so many bytes at once; keeps all.
#[derive(Debug, Clone)]
pub(crate) struct Pipe(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    written: Vec<u8>,
    portion: usize,
    busy: bool,
}

impl Pipe {
    pub(crate) fn new(portion: usize) -> Self {
        Self(Arc::new(Mutex::new(State { written: Vec::new(), portion, busy: false })))
    }

    pub(crate) fn written(&self) -> Vec<u8> {
        self.0.lock().written.clone()
    }

    fn enter(&self) -> usize {
        let mut state = self.0.lock();
        assert!(!state.busy, "two write at once");
        state.busy = true;
        state.portion
    }
}

impl Sink for Pipe {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let portion = self.enter();
        // Others may come in between, were they not kept out.
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
