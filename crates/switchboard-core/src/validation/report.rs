//! The broken rules of one value.

use std::borrow::Cow;

use validator::ValidationError;

use super::{messages, path::At, rule::Bounds};
use crate::{Issue, Issues, MAX_ISSUES, decode::Substituted};

/// How many are kept, from which the reported ones are picked.
const KEPT: usize = 4 * MAX_ISSUES;

/// The broken rules of a value. A payload may break one for each few bytes, so only the first 128
/// are kept and the others counted.
#[derive(Debug, Default)]
pub struct Report {
    issues: Vec<Issue>,
    /// All broken rules, including those not kept.
    count: usize,
    /// The placeholders in the value, if there are any.
    substituted: Option<Substituted>,
}

/// The texts of one rule.
#[derive(Debug, Clone, Copy, Default)]
pub struct Broken {
    /// The code of the rule, or the application's.
    pub code: &'static str,
    /// The application's own text.
    pub message: Option<&'static str>,
}

impl Report {
    /// Creates a report for a value with placeholders in these places.
    pub(super) fn beside(substituted: Substituted) -> Self {
        Self { substituted: Some(substituted), ..Self::default() }
    }

    /// Whether rules that look at more than one value are skipped, since one may be a placeholder.
    pub fn is_partial(&self) -> bool {
        self.substituted.is_some()
    }

    /// Returns how many rules were reported.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Reports a broken rule of this crate.
    pub fn broken(&mut self, at: At<'_>, rule: &'static str, texts: Broken, bounds: &impl Bounds) {
        self.push(at, || {
            let message = texts.message.map_or_else(|| messages::of(rule, |name| bounds.word(name)), Cow::Borrowed);
            (Cow::Borrowed(texts.code), message)
        });
    }

    /// Reports an error that a function of the application returned.
    pub fn custom(
        &mut self,
        at: At<'_>,
        error: &ValidationError,
        code: Option<&'static str>,
        message: Option<&'static str>,
    ) {
        self.push(at, || {
            let code = code.map_or_else(|| error.code.clone(), Cow::Borrowed);
            (code, message.map_or_else(|| messages::message(error), Cow::Borrowed))
        });
    }

    /// Reports the issues of a value that checks itself.
    pub fn issues(&mut self, at: At<'_>, issues: &Issues) {
        for issue in issues {
            let texts = || (issue.code().to_owned().into(), issue.message().to_owned().into());
            at.path(issue.path(), |at| self.push(at, texts));
        }
    }

    /// `texts`: code and message.
    pub(super) fn push(&mut self, at: At<'_>, texts: impl FnOnce() -> (Cow<'static, str>, Cow<'static, str>)) {
        if self.substituted.as_ref().is_some_and(|substituted| substituted.touch(&at.to_path())) {
            return;
        }
        self.count += 1;
        if self.issues.len() < KEPT {
            let (code, message) = texts();
            self.issues.push(Issue::new(at.to_path(), code, message));
        }
    }

    pub(super) fn into_result(self) -> Result<(), Issues> {
        Issues::from_vec(self.issues).map_or(Ok(()), Err)
    }
}
