//! Errors of sending.

use std::{error::Error, fmt};

use axum::response::{IntoResponse, Response};
use switchboard_core::WsError;

use crate::wire::encode::EncodeError;

/// An error of sending a message.
pub struct SendError {
    kind: SendErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kind of a [`SendError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The connection is closed or closing.
    Closed,
    /// The message breaks its own validation rules, cannot be serialised, or cannot be written in
    /// the route's [envelope](crate::WsRouter::envelope).
    Invalid,
    /// The request that the message belongs to was already answered.
    Ended,
}

impl From<EncodeError> for SendError {
    fn from(error: EncodeError) -> Self {
        let source = match error {
            EncodeError::Invalid(issues) => issues.into(),
            EncodeError::Unserialisable(error) => error.into(),
        };
        Self { kind: SendErrorKind::Invalid, source: Some(source) }
    }
}

impl SendError {
    pub(crate) fn closed() -> Self {
        Self { kind: SendErrorKind::Closed, source: Some(WsError::cancelled("the connection is closed").into()) }
    }

    pub(crate) fn ended() -> Self {
        Self { kind: SendErrorKind::Ended, source: None }
    }

    pub(crate) fn no_envelope() -> Self {
        let source = WsError::internal(
            "the payload does not fit the flat envelope: use an object without the keys `type` and `meta`",
        );
        EncodeError::Unserialisable(source).into()
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// Returns whether sending the same message again may succeed: always `false`, since a closed
    /// connection stays closed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        false
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("kind", &self.kind).field("source", &self.source).finish()
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.source) {
            (SendErrorKind::Closed, _) => f.write_str("the connection is closed"),
            (SendErrorKind::Ended, _) => f.write_str("the request has ended"),
            // The source names the field and the rule.
            (SendErrorKind::Invalid, Some(source)) => write!(f, "the outgoing message is invalid: {source}"),
            (SendErrorKind::Invalid, None) => f.write_str("the outgoing message is invalid"),
        }
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|error| error as _)
    }
}

/// `CANCELLED` for a closed connection or an answered request; `INTERNAL` for an invalid message,
/// which is the server's fault.
impl From<SendError> for WsError {
    fn from(error: SendError) -> Self {
        match error.kind {
            SendErrorKind::Closed => Self::cancelled("the connection is closed"),
            SendErrorKind::Ended => Self::cancelled("the request has ended"),
            SendErrorKind::Invalid => Self::internal(error),
        }
    }
}

/// Responds with the [`WsError`] that it converts into.
impl IntoResponse for SendError {
    fn into_response(self) -> Response {
        WsError::from(self).into_response()
    }
}
