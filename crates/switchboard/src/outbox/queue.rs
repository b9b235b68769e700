//! The frames of an outbox in order. A single frame, the common case, needs no allocation.
//!
//! A frame removed from the middle leaves a hole, so that the others keep their positions, counted
//! from the end.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::wire::Frame;

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// `None` only if `rest` is empty.
    first: Option<Frame>,
    rest: VecDeque<Frame>,
}

fn hole() -> Frame {
    Frame::new(Bytes::new())
}

fn is_hole(frame: &Frame) -> bool {
    frame.len() == 0
}

impl Queue {
    /// Returns the number of entries, holes included.
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    pub(super) fn get(&self, position: usize) -> Option<&Frame> {
        match position.checked_sub(1) {
            None => self.first.as_ref(),
            Some(position) => self.rest.get(position),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn has_one(&self) -> bool {
        self.first.is_some() && self.rest.is_empty()
    }

    pub(super) fn push_back(&mut self, frame: Frame) {
        match self.first {
            None => self.first = Some(frame),
            Some(_) => self.rest.push_back(frame),
        }
    }

    pub(super) fn push_front(&mut self, frame: Frame) {
        if let Some(second) = self.first.replace(frame) {
            self.rest.push_front(second);
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<Frame> {
        let first = self.first.take();
        self.first = self.rest.pop_front();
        self.trim();
        if self.rest.is_empty() {
            // An idle connection keeps no buffer.
            self.rest = VecDeque::new();
        }
        first
    }

    /// Removes the holes at the front.
    pub(super) fn trim(&mut self) {
        while self.first.as_ref().is_some_and(is_hole) {
            self.first = self.rest.pop_front();
        }
    }

    /// Replaces a frame by a hole. The caller then [trims](Self::trim) the queue, unless other
    /// frames are to be put back in front of it.
    pub(super) fn remove(&mut self, position: usize) -> Option<Frame> {
        self.replace(position, hole())
    }

    /// Removes all holes. The front must have been [trimmed](Self::trim).
    pub(super) fn sweep(&mut self) {
        self.rest.retain(|frame| !is_hole(frame));
    }

    pub(super) fn replace(&mut self, position: usize, frame: Frame) -> Option<Frame> {
        let old = match position.checked_sub(1) {
            None => self.first.as_mut(),
            Some(position) => self.rest.get_mut(position),
        };
        old.map(|old| std::mem::replace(old, frame))
    }

    pub(super) fn front(&self) -> Option<&Frame> {
        self.first.as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.first.iter().chain(&self.rest).filter(|frame| !is_hole(frame))
    }

    /// Appends the entries of `later`.
    pub(super) fn append(&mut self, mut later: Self) {
        if self.is_empty() {
            *self = later;
            self.trim();
            return;
        }
        self.rest.extend(later.first.take());
        self.rest.append(&mut later.rest);
    }
}
