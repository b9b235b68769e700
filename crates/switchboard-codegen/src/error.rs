//! Why nothing was generated.

use std::{error::Error, fmt};

/// A contract from which nothing can be generated, with all reasons.
///
/// Each names the type, the field and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerateError {
    problems: Vec<Problem>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    owner: String,
    field: String,
    reason: String,
}

impl GenerateError {
    /// An error if there are problems.
    pub(crate) fn unless_empty(mut problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort();
        problems.dedup();
        Err(Self { problems })
    }

    /// Returns the reasons, one line each.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.problems.iter().map(ToString::to_string)
    }
}

impl Problem {
    pub(crate) fn new(owner: &str, field: &str, reason: &str) -> Self {
        Self { owner: owner.to_owned(), field: field.to_owned(), reason: reason.to_owned() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, field, reason } = self;
        if field.is_empty() { write!(f, "`{owner}`: {reason}") } else { write!(f, "`{owner}.{field}`: {reason}") }
    }
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = if self.problems.len() == 1 { "problem" } else { "problems" };
        write!(f, "{} {several} in the contract", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl Error for GenerateError {}
