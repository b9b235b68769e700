//! The path of a value, written out only for an issue.

use std::fmt::Write as _;

use super::probe;

/// The longest key in a path, in bytes: keys of maps and unknown keys are the client's own text.
const MAX_KEY: usize = 64;

/// More than an issue keeps of a path.
const ENOUGH: usize = 256;

/// One step down, linked to those above it.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Self>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Key(&'p str),
    Item(usize),
}

impl<'p> Path<'p> {
    pub(super) const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    pub(super) fn key(&'p self, key: &'p str) -> Self {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) fn item(&'p self, index: usize) -> Self {
        Path { parent: Some(self), step: Step::Item(index) }
    }

    /// Returns the last step if it is a key.
    pub(super) fn last_key(&self) -> Option<&'p str> {
        match self.step {
            Step::Key(key) => Some(key),
            Step::Root | Step::Item(_) => None,
        }
    }

    /// Returns the path as a list.
    pub(super) fn steps(&self) -> Vec<probe::Step> {
        let mut steps = self.parent.map(Self::steps).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(key) => steps.push(probe::Step::Key(key.to_owned())),
            Step::Item(index) => steps.push(probe::Step::Item(index)),
        }
        steps
    }

    pub(super) fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        #[cfg(test)]
        crate::json::visits::add(out.len());
        out
    }

    fn write_to(&self, out: &mut String) {
        // At most as deep as values may be nested.
        if let Some(parent) = self.parent {
            parent.write_to(out);
        }
        if out.len() > ENOUGH {
            return;
        }
        match self.step {
            Step::Root => {}
            Step::Key(key) => {
                if self.parent.is_some_and(|parent| !matches!(parent.step, Step::Root)) {
                    out.push('.');
                }
                let kept = cut(key);
                out.push_str(kept);
                if kept.len() < key.len() {
                    out.push('…');
                }
            }
            // Writing to a `String` does not fail.
            Step::Item(index) => _ = write!(out, "[{index}]"),
        }
    }
}

/// Returns the part of a client's text that is kept.
pub(super) fn cut(text: &str) -> &str {
    let end = (0..=MAX_KEY.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    &text[..end]
}
