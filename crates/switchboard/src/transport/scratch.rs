//! The thread's read buffer.

use std::cell::Cell;

use crate::{fanout::turn, wire::encode};

/// The size of the buffer, and so the most that one read takes.
const SIZE: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The thread's read buffer, taken for one turn and given back when dropped. Idle connections have
/// no read buffer.
///
/// Taking it while it is taken gives another buffer; the last one dropped is kept.
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

    /// Returns the unread bytes, and the position for the caller to advance.
    pub(super) fn unread(&mut self) -> (&mut [u8], &mut usize) {
        (&mut self.buffer[self.start..self.end], &mut self.start)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Returns the buffer for the next read, discarding what is left of the last one.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.buffer.is_empty() {
            self.buffer = vec![0; SIZE];
            // Allocate the thread's other buffers as well while the heap is small: see
            // `encode::ROOM`.
            encode::prepare();
            turn::prepare();
        }
        self.clear();
        &mut self.buffer
    }

    /// Records that this many bytes were read into the [`room`](Self::room).
    pub(super) fn filled(&mut self, bytes: usize) {
        self.end = bytes.min(self.buffer.len());
    }

    /// Copies in bytes that an earlier turn did not consume, as many as fit; returns their number.
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
