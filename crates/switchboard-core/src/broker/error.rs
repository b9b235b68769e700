//! Why an operation of a broker failed.

use std::{borrow::Cow, error::Error, fmt};

use crate::{BoxError, ErrorCode, WsError};

/// The failure of an operation of a [`Broker`](super::Broker).
///
/// ```
/// use switchboard_core::broker::{BrokerError, BrokerErrorKind};
///
/// let error = BrokerError::new(BrokerErrorKind::Unknown, "no answer within 5 s");
/// assert!(error.retryable() && error.is_unknown());
/// assert_eq!(error.to_string(), "the broker did not answer, and may have done it: no answer within 5 s");
/// ```
#[derive(Debug)]
pub struct BrokerError {
    kind: BrokerErrorKind,
    detail: Cow<'static, str>,
    source: Option<BoxError>,
}

/// The kind of a [`BrokerError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BrokerErrorKind {
    /// Nothing was done: the link is down. Retryable.
    Unavailable,
    /// Nothing was done: a queue of the adapter or a limit of the broker is full. Retryable.
    Overloaded,
    /// Nothing was done: the broker refused, for example because of missing rights or a message that is too large. Not
    /// retryable.
    Rejected,
    /// The operation may have taken place: the broker did not answer in time, or the link was lost before it did.
    /// Retryable, but a message that is published again may arrive twice.
    Unknown,
    /// Nothing was done: the broker was shut down. Not retryable.
    Closed,
}

impl BrokerError {
    /// Creates an error. `detail` is for operators: what happened, and with what limit.
    pub fn new(kind: BrokerErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }

    /// Adds the error of the broker's client.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> BrokerErrorKind {
        self.kind
    }

    /// Returns whether a retry may succeed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        !matches!(self.kind, BrokerErrorKind::Rejected | BrokerErrorKind::Closed)
    }

    /// Returns whether the operation may have taken place.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.kind == BrokerErrorKind::Unknown
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            BrokerErrorKind::Unavailable => "the broker is not reachable",
            BrokerErrorKind::Overloaded => "the broker is overloaded",
            BrokerErrorKind::Rejected => "the broker refused",
            BrokerErrorKind::Unknown => "the broker did not answer, and may have done it",
            BrokerErrorKind::Closed => "the broker was shut down",
        };
        f.write_str(kind)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl Error for BrokerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}

/// `UNAVAILABLE`, `RESOURCE_EXHAUSTED` if overloaded, `INTERNAL` if refused. The text names the kind only: details may
/// contain addresses of the broker.
impl From<BrokerError> for WsError {
    fn from(error: BrokerError) -> Self {
        match error.kind {
            BrokerErrorKind::Unavailable | BrokerErrorKind::Closed => Self::unavailable("the broker is not reachable"),
            BrokerErrorKind::Overloaded => Self::resource_exhausted("the broker is overloaded"),
            BrokerErrorKind::Rejected => Self::new(ErrorCode::Internal, "the broker refused"),
            BrokerErrorKind::Unknown => Self::unavailable("the broker did not answer in time")
                .with_details(serde_json::json!({ "outcome": "unknown" })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_learns_the_kind_and_no_details() {
        let error = BrokerError::new(BrokerErrorKind::Unknown, "10.0.0.7:6379").with_source("reset");
        assert_eq!(error.source().unwrap().to_string(), "reset");
        let wire = WsError::from(error);
        assert_eq!(wire.code(), &ErrorCode::Unavailable);
        assert!(!wire.to_string().contains("10.0.0.7"));
    }

    #[test]
    fn only_refusals_and_the_end_are_final() {
        let kinds = [
            (BrokerErrorKind::Unavailable, true),
            (BrokerErrorKind::Overloaded, true),
            (BrokerErrorKind::Unknown, true),
            (BrokerErrorKind::Rejected, false),
            (BrokerErrorKind::Closed, false),
        ];
        for (kind, retryable) in kinds {
            assert_eq!(BrokerError::new(kind, "").retryable(), retryable, "{kind:?}");
        }
    }

    #[test]
    fn errors_say_what_happened() {
        let text = |kind, detail: &'static str| BrokerError::new(kind, detail).to_string();
        assert_eq!(text(BrokerErrorKind::Closed, ""), "the broker was shut down");
        assert_eq!(text(BrokerErrorKind::Rejected, "NOPERM"), "the broker refused: NOPERM");
    }
}
