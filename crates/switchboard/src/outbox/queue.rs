//! Frames in order. One needs no allocation: mostly there is one.
//!
//! What is removed from the middle leaves a hole, so that the others keep their places, counted from
//! the end.

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
    /// How many places it has, holes among them.
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Frame> {
        match place.checked_sub(1) {
            None => self.first.as_ref(),
            Some(place) => self.rest.get(place),
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
            // An idle connection keeps no room.
            self.rest = VecDeque::new();
        }
        first
    }

    /// Leaves no holes at the front.
    pub(super) fn trim(&mut self) {
        while self.first.as_ref().is_some_and(is_hole) {
            self.first = self.rest.pop_front();
        }
    }

    /// To be [trimmed](Self::trim) after, unless others are to be put in front of this.
    pub(super) fn remove(&mut self, place: usize) -> Option<Frame> {
        self.replace(place, hole())
    }

    /// Leaves no holes.
    pub(super) fn sweep(&mut self) {
        self.rest.retain(|frame| !is_hole(frame));
    }

    pub(super) fn replace(&mut self, place: usize, frame: Frame) -> Option<Frame> {
        let old = match place.checked_sub(1) {
            None => self.first.as_mut(),
            Some(place) => self.rest.get_mut(place),
        };
        old.map(|old| std::mem::replace(old, frame))
    }

    pub(super) fn front(&self) -> Option<&Frame> {
        self.first.as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.first.iter().chain(&self.rest).filter(|frame| !is_hole(frame))
    }

    /// All of `later` behind this.
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
