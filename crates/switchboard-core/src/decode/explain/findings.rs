//! What the explaining run finds on its way.

use std::cell::RefCell;

use serde::Serialize;

use super::{fields::unescape, large::Large, path::Path};
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

/// What a run has found so far: unknown keys do not end it.
#[derive(Default)]
pub(super) struct Findings {
    report_unknown: bool,
    /// Keys at the root that are passed over.
    pub(super) ignored: &'static [&'static str],
    issues: RefCell<Vec<Issue>>,
    tags: RefCell<Vec<Tag>>,
    /// Where values start that serde buffers, to look at them later.
    buffered: RefCell<Vec<usize>>,
    pub(super) large: Large,
}

impl Findings {
    pub(super) fn of_payload(report_unknown: bool) -> Self {
        Self { report_unknown, ..Self::default() }
    }

    pub(super) fn ignoring(ignored: &'static [&'static str]) -> Self {
        Self { ignored, ..Self::default() }
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

fn is_text(value: &str, expected: &str) -> bool {
    value.starts_with('"') && unescape(value).is_some_and(|text| text == expected)
}
