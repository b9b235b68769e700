//! Errors of requests to clients.

use std::{error::Error, fmt};

use axum::response::{IntoResponse, Response};
use switchboard_core::{Issues, WsError};

use super::pending::{CallRefused, NoAnswer};
use crate::conn::{SendError, SendErrorKind};

/// An error of a request to a client.
#[derive(Debug)]
pub struct CallError {
    kind: CallErrorKind,
    source: Option<WsError>,
}

/// The kind of a [`CallError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallErrorKind {
    /// The connection is closed.
    Closed,
    /// The client did not answer in time.
    TimedOut,
    /// [`max_calls`](crate::Config::max_calls) requests to this client are pending, or the inbox is
    /// so full that the response cannot be read.
    Overloaded,
    /// The client answered with an error, which is the source. An `INTERNAL` of the client becomes
    /// a `FAILED_PRECONDITION` with the client's error as its source.
    Refused,
    /// The response does not match its type, or is invalid.
    InvalidAnswer,
    /// The request breaks its own validation rules, or cannot be serialised.
    InvalidRequest,
    /// No client has answered, and not all could be asked: another node of the application, or the broker, could not be
    /// reached or did not answer. Only for requests through a [`Hub`](crate::Hub) with a
    /// [broker](crate::HubBuilder::broker).
    Unavailable,
}

impl CallError {
    pub(crate) fn unsendable(source: WsError) -> Self {
        Self { kind: CallErrorKind::InvalidRequest, source: Some(source) }
    }

    pub(super) fn unsent(error: SendError) -> Self {
        match error.kind() {
            SendErrorKind::Closed | SendErrorKind::Ended => CallErrorKind::Closed.into(),
            SendErrorKind::Invalid => Self::unsendable(error.into()),
        }
    }

    pub(super) fn unanswered(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Error(source) => Self { kind: CallErrorKind::Refused, source: Some(source) },
            NoAnswer::Overloaded => CallErrorKind::Overloaded.into(),
        }
    }

    pub(super) fn invalid(issues: &Issues) -> Self {
        Self { kind: CallErrorKind::InvalidAnswer, source: Some(WsError::invalid_payload(issues)) }
    }

    /// An error of a request through another node.
    #[cfg(feature = "cluster")]
    pub(crate) fn elsewhere(kind: CallErrorKind, source: Option<WsError>) -> Self {
        Self { kind, source }
    }

    /// Returns the error that explains this one.
    #[cfg(feature = "cluster")]
    pub(crate) fn wire_source(&self) -> Option<&WsError> {
        self.source.as_ref()
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> CallErrorKind {
        self.kind
    }

    /// Returns whether the same request may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self.kind {
            CallErrorKind::TimedOut | CallErrorKind::Overloaded | CallErrorKind::Unavailable => true,
            CallErrorKind::Refused => self.source.as_ref().and_then(WsError::retryable).unwrap_or_default(),
            CallErrorKind::Closed | CallErrorKind::InvalidAnswer | CallErrorKind::InvalidRequest => false,
        }
    }
}

impl From<CallErrorKind> for CallError {
    fn from(kind: CallErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<CallRefused> for CallError {
    fn from(refused: CallRefused) -> Self {
        match refused {
            CallRefused::Closed => CallErrorKind::Closed.into(),
            CallRefused::TooMany(_) => CallErrorKind::Overloaded.into(),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            CallErrorKind::Closed => "the connection is closed",
            CallErrorKind::TimedOut => "the client did not answer in time",
            CallErrorKind::Overloaded => "too many requests to this client are pending, or its inbox is full",
            CallErrorKind::Refused => "the client answered with an error",
            CallErrorKind::InvalidAnswer => "the client's answer is invalid",
            CallErrorKind::InvalidRequest => "the request to the client is invalid",
            CallErrorKind::Unavailable => "a node that may have the client could not be reached",
        })
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

/// The client's error if it answered with one. Otherwise `CANCELLED` for a closed connection,
/// `DEADLINE_EXCEEDED`, `RESOURCE_EXHAUSTED` for an overload, `UNAVAILABLE` for nodes that could not
/// be reached, `FAILED_PRECONDITION` for an invalid response, and `INTERNAL` for an invalid request,
/// which is the server's fault.
impl From<CallError> for WsError {
    fn from(error: CallError) -> Self {
        let text = error.to_string();
        match (error.kind, error.source) {
            (CallErrorKind::Refused, Some(source)) => source,
            (CallErrorKind::Closed, _) => Self::cancelled(text),
            (CallErrorKind::TimedOut, _) => Self::deadline_exceeded(text),
            (CallErrorKind::Overloaded, None) => Self::resource_exhausted(text),
            (CallErrorKind::Unavailable, _) => Self::unavailable(text),
            (CallErrorKind::InvalidAnswer, Some(source)) => Self::failed_precondition(text).with_source(source),
            (_, Some(source)) => source,
            (_, None) => Self::internal(text),
        }
    }
}

/// Responds with the [`WsError`] that it converts into.
impl IntoResponse for CallError {
    fn into_response(self) -> Response {
        WsError::from(self).into_response()
    }
}
