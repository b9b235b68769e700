//! Why a message was not sent.

use std::{error::Error, fmt};

use axum::response::{IntoResponse, Response};
use switchboard_core::WsError;

use crate::wire::encode::EncodeError;

/// A message was not sent.
pub struct SendError {
    kind: SendErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Why a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The connection is closed or closing.
    Closed,
    /// The message breaks its own rules, does not serialise, or cannot be written in the route's
    /// [envelope](crate::WsRouter::envelope).
    Invalid,
    /// The request that it belongs to has its reply or error.
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
            "the payload does not fit into the route's envelope: a flat one takes objects without `type` and `meta`",
        );
        EncodeError::Unserialisable(source).into()
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// Whether sending the same again may succeed: never, since a connection that is closed stays so.
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
            // Which field, and which rule.
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

/// `CANCELLED` for a closed connection and a request that has ended, else `INTERNAL`: an invalid message is the server's fault.
impl From<SendError> for WsError {
    fn from(error: SendError) -> Self {
        match error.kind {
            SendErrorKind::Closed => Self::cancelled("the connection is closed"),
            SendErrorKind::Ended => Self::cancelled("the request has ended"),
            SendErrorKind::Invalid => Self::internal(error),
        }
    }
}

/// As the [`WsError`] that it converts into.
impl IntoResponse for SendError {
    fn into_response(self) -> Response {
        WsError::from(self).into_response()
    }
}
