//! What sockets are read into.

use std::cell::Cell;

use crate::{fanout::turn, wire::encode};

/// One read takes at most so much.
const SIZE: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The thread's read buffer, taken for one turn and given back when dropped: connections that wait
/// have none. Whoever takes it while it is taken gets another, which goes when the first is given back.
#[derive(Debug)]
pub(crate) struct Scratch {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Scratch {
    pub(crate) fn take() -> Self {
        Self { buffer: SPARE.take(), start: 0, end: 0 }
    }

    /// What was read and not taken yet, and the position to be moved on by what is taken.
    pub(super) fn unread(&mut self) -> (&mut [u8], &mut usize) {
        (&mut self.buffer[self.start..self.end], &mut self.start)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Room for one read, after all that was read was taken.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.buffer.is_empty() {
            self.buffer = vec![0; SIZE];
            // The thread's other buffers, too, while little else is allocated.
            encode::prepare();
            turn::prepare();
        }
        self.clear();
        &mut self.buffer
    }

    /// So much was read into the [`room`](Self::room).
    pub(super) fn filled(&mut self, bytes: usize) {
        self.end = bytes.min(self.buffer.len());
    }

    /// Puts back what another scratch buffer held: at most as much as this holds.
    pub(super) fn restore(&mut self, bytes: &[u8]) -> usize {
        let room = self.room();
        let portion = room.len().min(bytes.len());
        room[..portion].copy_from_slice(&bytes[..portion]);
        self.filled(portion);
        portion
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        SPARE.set(std::mem::take(&mut self.buffer));
    }
}
