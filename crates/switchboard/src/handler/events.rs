//! What hooks are told.

use std::sync::Arc;

use switchboard_core::{CloseCode, WsError};

/// How a connection ended: the event of `on_close`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseReason {
    code: CloseCode,
    reason: Arc<str>,
    by: ClosedBy,
}

/// Who ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClosedBy {
    /// The client sent a close frame.
    Client,
    /// This side did: the application, a limit, or a violation of the protocol.
    Server,
    /// The connection was lost.
    Lost,
}

impl CloseReason {
    pub(crate) fn new(code: CloseCode, reason: &str, by: ClosedBy) -> Self {
        Self { code, reason: reason.into(), by }
    }

    /// The code: that of the close frame, [`NO_STATUS`](CloseCode::NO_STATUS) if it had none, and
    /// [`ABNORMAL`](CloseCode::ABNORMAL) if there was no close frame.
    #[must_use]
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// The close frame's text. A client's is its own words: escape it before showing it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Who ended it.
    #[must_use]
    pub fn by(&self) -> ClosedBy {
        self.by
    }
}

/// A message that failed: the event of `on_error`. The client has been told already.
#[derive(Debug, Clone)]
pub struct Failure {
    message_type: Option<&'static str>,
    error: Arc<WsError>,
}

impl Failure {
    pub(crate) fn new(message_type: Option<&'static str>, error: WsError) -> Self {
        Self { message_type, error: Arc::new(error) }
    }

    /// The message's type tag, if it is one that the router knows.
    #[must_use]
    pub fn message_type(&self) -> Option<&'static str> {
        self.message_type
    }

    /// The error, with its source.
    #[must_use]
    pub fn error(&self) -> &WsError {
        &self.error
    }
}
