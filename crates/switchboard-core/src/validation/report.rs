//! The broken rules of one value.

use std::borrow::Cow;

use validator::ValidationError;

use super::{path::At, words};
use crate::{Issue, Issues, MAX_ISSUES};

/// How many issues are kept until those that are reported are picked out.
const KEPT: usize = 16 * MAX_ISSUES;

/// The rules that were found broken. Bounded: a payload may break one for each few bytes.
#[derive(Debug, Default)]
pub struct Report {
    issues: Vec<Issue>,
    /// All that were reported, also those that are no longer kept.
    count: usize,
}

/// The texts of one rule.
#[derive(Debug, Clone, Copy, Default)]
pub struct Broken {
    /// The rule's code, or that of the application.
    pub code: &'static str,
    /// The application's own text.
    pub message: Option<&'static str>,
}

impl Report {
    /// How many rules were reported so far.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Reports a rule of ours. `params` are its bounds, in words.
    pub fn broken(&mut self, at: At<'_>, rule: &'static str, texts: Broken, params: &[(&str, Option<String>)]) {
        let message = match texts.message {
            Some(message) => Cow::Borrowed(message),
            None => {
                words::of(rule, |name| params.iter().find(|(param, _)| *param == name).and_then(|(_, p)| p.clone()))
            }
        };
        self.push(at, Cow::Borrowed(texts.code), message);
    }

    /// Reports what a function of the application returned.
    pub fn custom(
        &mut self,
        at: At<'_>,
        error: &ValidationError,
        code: Option<&'static str>,
        message: Option<&'static str>,
    ) {
        let code = code.map_or_else(|| error.code.clone(), Cow::Borrowed);
        let message = message.map_or_else(|| words::message(error), Cow::Borrowed);
        self.push(at, code, message);
    }

    /// Reports issues of a value that checks itself.
    pub fn issues(&mut self, at: At<'_>, issues: &Issues) {
        for issue in issues {
            let (code, message) = (issue.code().to_owned(), issue.message().to_owned());
            at.path(issue.path(), |at| self.push(at, Cow::Owned(code), Cow::Owned(message)));
        }
    }

    pub(super) fn push(&mut self, at: At<'_>, code: Cow<'static, str>, message: Cow<'static, str>) {
        self.count += 1;
        self.issues.push(Issue::new(at.to_path(), code, message));
        if self.issues.len() >= KEPT {
            self.issues.sort();
            self.issues.dedup();
            self.issues.truncate(MAX_ISSUES);
        }
    }

    pub(super) fn into_result(self) -> Result<(), Issues> {
        Issues::from_vec(self.issues).map_or(Ok(()), Err)
    }
}
