//! An error of serde that keeps what serde_json turns into a text.

use std::{borrow::Cow, fmt};

use serde::de::{Error, Expected, Unexpected};

use crate::Issue;

/// Why decoding stopped, and where once that is known.
#[derive(Debug)]
pub(super) struct Fault {
    kind: FaultKind,
    path: Option<String>,
    wanted: &'static str,
}

#[derive(Debug)]
enum FaultKind {
    Type,
    Missing(&'static str),
    Unknown(String),
    Variant,
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Self { kind, path: None, wanted: "" }
    }

    pub(super) fn unspecific() -> Self {
        Self::new(FaultKind::Type)
    }

    /// Fills in where it happened and what would have fitted, unless a deeper place did.
    pub(super) fn at(mut self, path: &str, wanted: &'static str) -> Self {
        if self.path.is_none() {
            self.path = Some(path.to_owned());
            self.wanted = wanted;
        }
        self
    }

    pub(super) fn into_issue(self) -> Issue {
        let path = self.path.unwrap_or_default();
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match self.kind {
            FaultKind::Missing(field) => Issue::new(below(field), "missing_field", "is required"),
            FaultKind::Unknown(field) => Issue::new(below(&field), "unknown_field", "is not a known field"),
            FaultKind::Variant => Issue::new(path, "enum", "is not one of the allowed values"),
            FaultKind::Type => {
                let message = if self.wanted.is_empty() {
                    Cow::Borrowed("is not valid")
                } else {
                    Cow::Owned(format!("must be {}", self.wanted))
                };
                Issue::new(path, "type", message)
            }
        }
    }
}

impl Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(FaultKind::Type)
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::new(FaultKind::Type)
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(FaultKind::Variant)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(FaultKind::Unknown(field.to_owned()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(FaultKind::Missing(field))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payload does not decode")
    }
}

impl std::error::Error for Fault {}
