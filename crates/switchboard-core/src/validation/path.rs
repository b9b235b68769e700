//! The place of a value in a payload.

use std::fmt::{self, Write};

use serde::Serialize;

use super::key;
use crate::error::issue::MAX_PATH;

/// A place in a payload: a linked list of steps on the stack, written out only for a broken rule.
#[derive(Clone, Copy)]
pub struct At<'a>(Option<&'a Step<'a>>);

/// One step down, and the place it starts from.
pub(super) struct Step<'a> {
    from: At<'a>,
    to: To<'a>,
}

pub(super) enum To<'a> {
    Field(&'a str),
    Item(usize),
    Key(&'a dyn Fn(&mut Text)),
    /// A whole path below this place.
    Path(&'a str),
}

impl fmt::Debug for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("At").field(&self.to_path()).finish()
    }
}

impl At<'_> {
    /// The payload itself.
    pub(super) const ROOT: At<'static> = At(None);

    /// Calls `check` at a field.
    pub fn field<R>(self, name: &str, check: impl FnOnce(At<'_>) -> R) -> R {
        self.step(To::Field(name), check)
    }

    /// Calls `check` at an element.
    pub fn item<R>(self, index: usize, check: impl FnOnce(At<'_>) -> R) -> R {
        self.step(To::Item(index), check)
    }

    /// Calls `check` at the value of a key, which serde writes.
    pub fn key<K: Serialize + ?Sized, R>(self, key: &K, check: impl FnOnce(At<'_>) -> R) -> R {
        self.step(To::Key(&|text| key::write(key, text)), check)
    }

    pub(super) fn path<R>(self, path: &str, check: impl FnOnce(At<'_>) -> R) -> R {
        self.step(To::Path(path), check)
    }

    fn step<R>(self, to: To<'_>, check: impl FnOnce(At<'_>) -> R) -> R {
        check(At(Some(&Step { from: self, to })))
    }

    pub(super) fn to_path(self) -> String {
        let mut text = Text(String::new());
        self.write(&mut text);
        text.0
    }

    fn write(self, text: &mut Text) {
        let Some(step) = self.0 else { return };
        step.from.write(text);
        match &step.to {
            To::Field(name) => {
                text.dot();
                text.push(name);
            }
            To::Item(index) => _ = write!(text, "[{index}]"),
            To::Key(write) => {
                text.dot();
                write(text);
            }
            To::Path(path) => {
                if !path.is_empty() && !path.starts_with('[') {
                    text.dot();
                }
                text.push(path);
            }
        }
    }
}

/// A path while it is written, cut at the length that an issue keeps: a key is the client's own
/// text, and a path is written for each broken rule.
pub(super) struct Text(String);

impl Text {
    pub(super) fn push(&mut self, part: &str) {
        // One character more than fits, so that the issue notices the cut.
        let room = (MAX_PATH + 4).saturating_sub(self.0.len());
        let end = if part.len() <= room { part.len() } else { part.floor_char_boundary_at(room) };
        self.0.push_str(&part[..end]);
    }

    fn dot(&mut self) {
        if !self.0.is_empty() {
            self.push(".");
        }
    }
}

impl Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.push(part);
        Ok(())
    }
}

/// `str::floor_char_boundary`, which is newer than the minimum supported Rust version.
trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, end: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_at(&self, end: usize) -> usize {
        (0..=end).rev().find(|&i| self.is_char_boundary(i)).unwrap_or(0)
    }
}
