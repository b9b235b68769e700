//! Finds the `f32` that got a number which is too large for it, where serde decodes from a buffer
//! of its own.
//!
//! The text is decoded once more with a mark in place of each such number: a distinct small number.
//! The marks that are `f32`s in the message identify the numbers.

use std::cell::{Cell, RefCell};

use serde::Serialize;

use super::path::Path;
use crate::{
    Issue, MAX_ISSUES,
    decode::single::{any, overflows},
};

/// The bits of the first mark: about 2 × 10³⁸.
const FIRST: u32 = 0x7f15_a5a0;

/// Numbers that are too large for an `f32`, in the order in which a pass reads them.
#[derive(Default)]
pub(super) struct Large {
    seen: Cell<bool>,
    /// The paths of the marks.
    marked: Option<RefCell<Vec<String>>>,
}

impl Large {
    pub(super) fn marking() -> Self {
        Self { marked: Some(RefCell::default()), ..Self::default() }
    }

    pub(super) fn is_seen(&self) -> bool {
        self.seen.get()
    }

    /// Returns the mark to decode instead of a number.
    pub(super) fn mark(&self, number: &str, path: &Path<'_>) -> Option<f64> {
        // Without an exponent, a number needs 39 digits to be too large.
        if number.len() < 39 && !number.contains(['e', 'E']) {
            return None;
        }
        let value = serde_json::from_str::<f64>(number).ok().filter(|value| overflows(*value))?;
        self.seen.set(true);
        let mut marked = self.marked.as_ref()?.borrow_mut();
        let bits = FIRST + u32::try_from(marked.len()).ok()?;
        if marked.len() >= MAX_ISSUES {
            return None;
        }
        marked.push(path.write());
        Some(f64::from(f32::from_bits(bits)).copysign(value))
    }

    /// Returns the issues for marks that became an `f32`.
    pub(super) fn issues_in<T: Serialize>(&self, value: &T) -> Vec<Issue> {
        let marked = self.marked.as_ref().map(RefCell::take).unwrap_or_default();
        let mut found = vec![false; marked.len()];
        any(value, &mut |single| {
            let index = single.abs().to_bits().checked_sub(FIRST).and_then(|index| usize::try_from(index).ok());
            if let Some(found) = index.and_then(|index| found.get_mut(index)) {
                *found = true;
            }
            false
        });
        let paths = marked.into_iter().zip(found).filter_map(|(path, found)| found.then_some(path));
        paths.map(|path| Issue::new(path, "type", "must be a number in range")).collect()
    }
}
