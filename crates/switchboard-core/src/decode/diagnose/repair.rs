//! What the next pass reads differently, to find more behind a fault.
//!
//! serde cannot continue with an object or array after its type has refused a value. So a small
//! payload is read again, with a placeholder for that value.

use super::probe::{Object, Step};
use crate::Issue;

/// How often a payload is read again at most.
const MOST: usize = 8;

/// How many bytes are read again at most: for a large payload, the first fault of this kind is the
/// last.
const BYTES: usize = 4096;

/// One thing to read differently.
#[derive(Debug)]
pub(super) enum Repair {
    /// The value that starts here.
    Replace(usize),
    /// A struct lacks these fields.
    Supply(Missing),
}

/// Fields that a struct requires and an object lacks.
#[derive(Debug)]
pub(super) struct Missing {
    /// Where the object starts.
    pub(super) position: usize,
    /// The name of the type's visitor, which differs for each type.
    pub(super) visitor: &'static str,
    pub(super) fields: Vec<&'static str>,
    pub(super) issues: Vec<Issue>,
}

/// Everything that is read differently.
#[derive(Default)]
pub(super) struct Repairs {
    replaced: Vec<usize>,
    missing: Vec<Missing>,
    spent: usize,
}

impl Repairs {
    /// Adds a repair; returns `false` if the payload, of this length, is not to be read again.
    pub(super) fn add(&mut self, repair: Repair, len: usize) -> bool {
        self.spent += len;
        if self.spent > BYTES || self.replaced.len() + self.missing.len() >= MOST {
            return false;
        }
        match repair {
            Repair::Replace(position) => match self.replaced.binary_search(&position) {
                Ok(_) => return false,
                Err(place) => self.replaced.insert(place, position),
            },
            Repair::Supply(missing) => {
                if self.missing.iter().any(|known| known.position == missing.position) {
                    return false;
                }
                self.missing.push(missing);
            }
        }
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.replaced.is_empty() && self.missing.is_empty()
    }

    pub(super) fn is_replaced(&self, position: usize) -> bool {
        self.replaced.binary_search(&position).is_ok()
    }

    /// Returns the required fields of a struct, as far as an object lacked them.
    pub(super) fn required(&self, position: usize, visitor: &str) -> &[&'static str] {
        let here = self.missing.iter().find(|known| known.position == position);
        let alike = || self.missing.iter().find(|known| known.visitor == visitor);
        here.or_else(alike).map_or(&[], |known| &known.fields)
    }
}

/// Asks a type which fields one of its structs lacks.
pub(super) type AskMissing = fn(&[Step], &Object<'_>, &'static str) -> Vec<&'static str>;
