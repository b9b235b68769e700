//! Frames in order. One needs no allocation: mostly there is one.

use std::collections::VecDeque;

use crate::transport::Frame;

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// `None` only if `rest` is empty.
    first: Option<Frame>,
    rest: VecDeque<Frame>,
}

impl Queue {
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
        if self.rest.is_empty() {
            // An idle connection keeps no room.
            self.rest = VecDeque::new();
        }
        first
    }

    pub(super) fn remove(&mut self, place: usize) -> Option<Frame> {
        match place.checked_sub(1) {
            None => self.pop_front(),
            Some(place) => self.rest.remove(place),
        }
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
        self.first.iter().chain(&self.rest)
    }

    /// All of `later` behind this.
    pub(super) fn append(&mut self, mut later: Self) {
        if self.is_empty() {
            *self = later;
            return;
        }
        while let Some(frame) = later.pop_front() {
            self.push_back(frame);
        }
    }
}
