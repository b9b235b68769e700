//! What is wrong with a payload: paths in wire names, and messages that never hold the value.

use std::{borrow::Cow, fmt};

use serde::Serialize;

/// The most issues that one error carries.
pub const MAX_ISSUES: usize = 32;

/// The longest path that one issue carries, in bytes: unknown keys are the client's own text.
pub(crate) const MAX_PATH: usize = 128;

/// One thing that is wrong with a payload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Issue {
    path: String,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl Issue {
    /// Creates an issue. `path` is in wire names (`attachment.url`, `items[2].name`, `""` for the whole
    /// payload), `code` is `type`, `missing_field`, `unknown_field`, `enum` or that of a rule.
    pub fn new(
        path: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let mut path = path.into();
        if path.len() > MAX_PATH {
            let cut = (0..=MAX_PATH).rev().find(|&i| path.is_char_boundary(i)).unwrap_or(0);
            path.truncate(cut);
            path.push('…');
        }
        Self { path, code: code.into(), message: message.into() }
    }

    /// Returns the path: `roomId`, `attachment.url`, `items[2].name`; empty for the whole payload.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the code: `type`, `missing_field`, `unknown_field`, `enum`, `length`, …
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the message. It never contains the value.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Everything that is wrong with a message: one to [`MAX_ISSUES`] issues, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Issues(Vec<Issue>);

impl Issues {
    /// Creates a list of one issue.
    ///
    /// ```
    /// use switchboard_core::Issues;
    ///
    /// let issues = Issues::single("roomId", "length", "must not be empty");
    /// assert_eq!(issues.iter().next().unwrap().path(), "roomId");
    /// ```
    pub fn single(
        path: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(vec![Issue::new(path, code, message)])
    }

    /// Sorts the issues and keeps the first [`MAX_ISSUES`]. Returns `None` if there are none.
    #[must_use]
    pub fn from_vec(mut issues: Vec<Issue>) -> Option<Self> {
        if issues.is_empty() {
            return None;
        }
        issues.sort();
        issues.dedup();
        issues.truncate(MAX_ISSUES);
        Some(Self(issues))
    }

    /// Iterates over the issues, sorted by path.
    pub fn iter(&self) -> std::slice::Iter<'_, Issue> {
        self.0.iter()
    }

    /// Puts a key in front of each path: `url` becomes `attachment.url`.
    #[must_use]
    pub fn below(self, key: &str) -> Self {
        let issues = self.0.into_iter().map(|issue| {
            let path = if issue.path.is_empty() {
                key.to_owned()
            } else if issue.path.starts_with('[') {
                format!("{key}{}", issue.path)
            } else {
                format!("{key}.{}", issue.path)
            };
            Issue::new(path, issue.code, issue.message)
        });
        Self(issues.collect())
    }
}

impl<'a> IntoIterator for &'a Issues {
    type Item = &'a Issue;
    type IntoIter = std::slice::Iter<'a, Issue>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Issues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, issue) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            let path = if issue.path.is_empty() { "payload" } else { &issue.path };
            write!(f, "{path} {}", issue.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Issues {}
