//! The findings of a diagnosis.

use std::cell::{Cell, RefCell};

use serde::Serialize;

use super::{
    large::Large,
    path::Path,
    placeholder::{self, Placeholder},
    probe::{Object, Step},
    reader::unescape,
    repair::{AskMissing, Missing, Repairs},
};
use crate::{Issue, MAX_ISSUES, decode::single};

/// The keys of a struct.
#[derive(Clone, Copy)]
pub(super) struct Declared {
    /// `None` for a variant.
    pub(super) name: Option<&'static str>,
    pub(super) fields: &'static [&'static str],
}

/// An undeclared key whose value is the name of its struct, as serde writes a struct with a `tag`.
/// serde does not know the key when it reads the struct.
struct Tag {
    name: &'static str,
    key: String,
    /// The issue if the key is not the tag.
    issue: Issue,
}

/// A wrong value or missing field that a placeholder stands for.
pub(super) struct Replaced {
    pub(super) issue: Issue,
    /// The place of the type that refuses it.
    pub(super) steps: Vec<Step>,
}

/// The findings of a pass so far. Unknown keys do not end it.
pub(super) struct Findings {
    report_unknown: bool,
    /// The placeholders. `None` for a pass that ends at the first fault.
    pub(super) placeholders: Option<Placeholders>,
    /// Keys at the root that are skipped.
    pub(super) ignored: &'static [&'static str],
    issues: RefCell<Vec<Issue>>,
    tags: RefCell<Vec<Tag>>,
    /// Start positions of values that serde buffers, to be checked later.
    buffered: RefCell<Vec<usize>>,
    pub(super) large: Large,
}

/// The placeholders of a pass, for refused values and missing fields.
pub(super) struct Placeholders {
    pub(super) repairs: Repairs,
    ask_missing: AskMissing,
    /// Whether a visitor of this name reads each value by itself, so that a placeholder changes no
    /// other.
    pub(super) is_trusted: fn(&str) -> bool,
    replaced: RefCell<Vec<Replaced>>,
    /// The paths of all placeholders.
    paths: RefCell<Vec<String>>,
    left: Cell<u16>,
}

impl Findings {
    pub(super) fn of_payload(report_unknown: bool) -> Self {
        Self {
            report_unknown,
            placeholders: None,
            ignored: &[],
            issues: RefCell::default(),
            tags: RefCell::default(),
            buffered: RefCell::default(),
            large: Large::default(),
        }
    }

    pub(super) fn ignoring(ignored: &'static [&'static str]) -> Self {
        Self { ignored, ..Self::of_payload(false) }
    }

    /// Continues behind refused values.
    pub(super) fn with_placeholders(self, repairs: Repairs, ask_missing: AskMissing) -> Self {
        let placeholders = Placeholders {
            repairs,
            ask_missing,
            is_trusted: is_serdes,
            replaced: RefCell::default(),
            paths: RefCell::default(),
            left: placeholder::budget(),
        };
        Self { placeholders: Some(placeholders), ..self }
    }

    /// Replaces numbers that are too large for an `f32` by marks.
    pub(super) fn marking(self) -> Self {
        Self { large: Large::marking(), ..self }
    }

    /// Records an undeclared key of an object, and the text of its value.
    pub(super) fn unknown(&self, path: &Path<'_>, declared: Option<Declared>, value: &str) {
        if !self.wants_unknown() {
            return;
        }
        let issue = || Issue::new(path.write(), "unknown_field", "is not a known field");
        match (declared.and_then(|declared| declared.name), path.last_key()) {
            (Some(name), Some(key)) if is_text(value, name) && self.may_be_tag(name, key, issue) => {}
            // One more than is reported, so that sorting decides which are, but not one for each
            // key of a flood.
            _ => self.issues.borrow_mut().push(issue()),
        }
    }

    fn may_be_tag(&self, name: &'static str, key: &str, issue: impl FnOnce() -> Issue) -> bool {
        let mut tags = self.tags.borrow_mut();
        if tags.iter().any(|tag| tag.name == name && tag.key == key) {
            return true;
        }
        if tags.len() > MAX_ISSUES {
            return false;
        }
        tags.push(Tag { name, key: key.to_owned(), issue: issue() });
        true
    }

    /// Returns issues for keys that look like the tag of a struct but are not: the message is
    /// written without them.
    pub(super) fn issues_of_tags<T: Serialize>(&self, value: &T) -> Vec<Issue> {
        let mut tags = self.tags.take();
        if !tags.is_empty() {
            single::any_tag(value, &mut |name, key| {
                tags.retain(|tag| tag.name != name || tag.key != key);
                tags.is_empty()
            });
        }
        tags.into_iter().map(|tag| tag.issue).collect()
    }

    pub(super) fn wants_unknown(&self) -> bool {
        self.report_unknown && self.issues.borrow().len() <= MAX_ISSUES
    }

    pub(super) fn take_issues(&self) -> Vec<Issue> {
        self.issues.take()
    }

    pub(super) fn is_buffered(&self, start: usize) -> bool {
        self.buffered.borrow().binary_search(&start).is_ok()
    }

    pub(super) fn buffer(&self, start: usize) {
        let mut buffered = self.buffered.borrow_mut();
        // Sorted, except if a tag behind its content is read first.
        match buffered.last() {
            Some(last) if *last >= start => {
                if let Err(place) = buffered.binary_search(&start) {
                    buffered.insert(place, start);
                }
            }
            _ => buffered.push(start),
        }
    }
}

impl Placeholders {
    /// Records an issue and its placeholder; returns `None` if there are enough. `at`: the type
    /// that refuses the value, if not the value itself.
    pub(super) fn put(
        &self,
        path: &Path<'_>,
        at: &Path<'_>,
        code: &'static str,
        text: &'static str,
    ) -> Option<Placeholder<'_>> {
        let mut replaced = self.replaced.borrow_mut();
        if replaced.len() > MAX_ISSUES {
            return None;
        }
        let written = path.write();
        self.paths.borrow_mut().push(written.clone());
        replaced.push(Replaced { issue: Issue::new(written, code, text), steps: at.steps() });
        Some(Placeholder::new(&self.left))
    }

    /// Returns the placeholder for a value that was refused in the last pass.
    pub(super) fn again(&self, path: &Path<'_>) -> Placeholder<'_> {
        self.paths.borrow_mut().push(path.write());
        Placeholder::new(&self.left)
    }

    /// Returns the fields that an object lacks, given one of them.
    pub(super) fn missing(
        &self,
        object: &Object<'_>,
        path: &Path<'_>,
        first: &'static str,
        position: usize,
        visitor: &'static str,
    ) -> Missing {
        let fields = (self.ask_missing)(&path.steps(), object, first);
        let issue = |field: &&'static str| Issue::new(path.key(field).write(), "missing_field", "is required");
        Missing { position, visitor, issues: fields.iter().map(issue).collect(), fields }
    }

    /// Returns the reported issues, the paths of all placeholders, and the repairs for the next
    /// pass.
    pub(super) fn into_parts(self) -> (Vec<Replaced>, Vec<String>, Repairs) {
        (self.replaced.into_inner(), self.paths.into_inner(), self.repairs)
    }
}

/// Whether a visitor was derived, or is one of serde's own.
fn is_serdes(visitor: &str) -> bool {
    visitor.contains("__Visitor") || visitor.starts_with("serde")
}

fn is_text(value: &str, expected: &str) -> bool {
    value.starts_with('"') && unescape(value).is_some_and(|text| text == expected)
}
