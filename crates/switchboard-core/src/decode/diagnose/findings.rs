//! What the explaining run finds on its way.

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
    /// Not of a variant.
    pub(super) name: Option<&'static str>,
    pub(super) fields: &'static [&'static str],
}

/// An undeclared key with the name of its struct as its value, as serde writes a struct with a `tag`. When
/// it reads one, it does not know the key.
struct Tag {
    name: &'static str,
    key: String,
    /// If it is none.
    issue: Issue,
}

/// Something wrong at a place that a placeholder was put in.
pub(super) struct Replaced {
    pub(super) issue: Issue,
    /// Where the type that refuses it is.
    pub(super) steps: Vec<Step>,
}

/// What a run has found so far: unknown keys do not end it.
pub(super) struct Findings {
    report_unknown: bool,
    /// Where there are placeholders. `None` for a run that ends at the first fault.
    pub(super) placeholders: Option<Placeholders>,
    /// Keys at the root that are passed over.
    pub(super) ignored: &'static [&'static str],
    issues: RefCell<Vec<Issue>>,
    tags: RefCell<Vec<Tag>>,
    /// Where values start that serde buffers, to look at them later.
    buffered: RefCell<Vec<usize>>,
    pub(super) large: Large,
}

/// The placeholders of a run: values that a type refused, and fields that are missing.
pub(super) struct Placeholders {
    pub(super) repairs: Repairs,
    ask_missing: AskMissing,
    /// Whether a visitor of this name reads each value by itself, so that a placeholder changes no other.
    pub(super) is_trusted: fn(&str) -> bool,
    replaced: RefCell<Vec<Replaced>>,
    /// The places of all of them.
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

    /// Goes on behind values that are refused.
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

    /// Marks numbers that are too large for an `f32`.
    pub(super) fn marking(self) -> Self {
        Self { large: Large::marking(), ..self }
    }

    /// An undeclared key of an object, and the text of its value.
    pub(super) fn unknown(&self, path: &Path<'_>, declared: Option<Declared>, value: &str) {
        if !self.wants_unknown() {
            return;
        }
        let issue = || Issue::new(path.write(), "unknown_field", "is not a known field");
        match (declared.and_then(|declared| declared.name), path.last_key()) {
            (Some(name), Some(key)) if is_text(value, name) && self.may_be_tag(name, key, issue) => {}
            // One more than is reported, so that sorting decides which ones are; not one per key of a flood.
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

    /// What looked like the tag of a struct, and is none, as the message is written without it.
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
        // In order but where a tag behind its content is read first.
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
    /// Reports something wrong, and that a placeholder stands there; `None` once there are enough of them.
    /// `at`: whose type refuses it, if not the value itself.
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

    /// The placeholder for a value that was refused the last time.
    pub(super) fn again(&self, path: &Path<'_>) -> Placeholder<'_> {
        self.paths.borrow_mut().push(path.write());
        Placeholder::new(&self.left)
    }

    /// What is missing in an object, where one field is known to be.
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

    /// Everything that was reported, the places of all placeholders, and what to do the next time.
    pub(super) fn into_parts(self) -> (Vec<Replaced>, Vec<String>, Repairs) {
        (self.replaced.into_inner(), self.paths.into_inner(), self.repairs)
    }
}

/// A visitor that serde's derive wrote, or one of serde's own.
fn is_serdes(visitor: &str) -> bool {
    visitor.contains("__Visitor") || visitor.starts_with("serde")
}

fn is_text(value: &str, expected: &str) -> bool {
    value.starts_with('"') && unescape(value).is_some_and(|text| text == expected)
}
