//! The explaining run over a payload that failed: structured issues instead of serde's texts.

mod error;
mod value;

use std::cell::RefCell;

use serde::Deserialize;
use serde_json::{Map, Value};

use self::{error::Fault, value::Node};
use crate::{Issue, Issues, MAX_ISSUES, Message};

/// What the run has found so far: unknown keys do not end it.
#[derive(Default)]
struct Findings {
    issues: RefCell<Vec<Issue>>,
}

impl Findings {
    fn unknown(&self, path: String) {
        let mut issues = self.issues.borrow_mut();
        // One more than is reported, so that sorting decides which ones are; not one per key of a flood.
        if issues.len() <= MAX_ISSUES {
            issues.push(Issue::new(path, "unknown_field", "is not a known field"));
        }
    }
}

/// Says what is wrong with a JSON payload that does not decode as `M` or holds unknown keys.
pub(super) fn json<M: Message>(json: &str) -> Issues {
    let not_valid = || Issues::single("", "type", "the payload is not valid");
    // Fails where the text itself is wrong (nesting too deep for one): no path to speak of.
    let Ok(value) = serde_json::from_str::<Value>(json) else { return not_valid() };
    run::<M>(value, !M::ALLOW_UNKNOWN).err().unwrap_or_else(not_valid)
}

/// Decodes an object with exact issues, ignoring unknown keys: for extended meta.
pub(crate) fn from_object<T: for<'de> Deserialize<'de>>(object: Map<String, Value>) -> Result<T, Issues> {
    run(Value::Object(object), false)
}

/// Decodes what has no keys: `()`.
pub(crate) fn nothing<T: for<'de> Deserialize<'de>>() -> Result<T, Issues> {
    run(Value::Null, false)
}

fn run<T: for<'de> Deserialize<'de>>(value: Value, report_unknown: bool) -> Result<T, Issues> {
    let findings = Findings::default();
    let decoded = T::deserialize(Node::root(value, &findings));
    let mut issues = findings.issues.into_inner();
    if !report_unknown {
        issues.clear();
    }
    match decoded {
        Ok(value) if issues.is_empty() => return Ok(value),
        Ok(_) => {}
        Err(fault) => issues.push(fault.into_issue()),
    }
    // There is at least one: a fault, or unknown keys.
    Err(Issues::from_vec(issues).unwrap_or_else(|| Fault::unspecific().into_issue().into()))
}

impl From<Issue> for Issues {
    fn from(issue: Issue) -> Self {
        Self::single(issue.path().to_owned(), issue.code().to_owned(), issue.message().to_owned())
    }
}

#[cfg(test)]
mod tests;
