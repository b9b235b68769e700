//! The events of hooks.

use std::sync::Arc;

use switchboard_core::{CloseCode, WsError};

/// How a connection ended: the event of [`on_close`](crate::WsRouter::on_close).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseReason {
    code: CloseCode,
    reason: Arc<str>,
    by: ClosedBy,
}

/// Which side ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClosedBy {
    /// The client sent a close frame.
    Client,
    /// The server did: the application, a limit, or a violation of the protocol.
    Server,
    /// Neither: the connection was lost without a close frame.
    Lost,
}

impl CloseReason {
    pub(crate) fn new(code: CloseCode, reason: &str, by: ClosedBy) -> Self {
        Self { code, reason: reason.into(), by }
    }

    /// Returns the code of the close frame: [`NO_STATUS`](CloseCode::NO_STATUS) if it had none,
    /// [`ABNORMAL`](CloseCode::ABNORMAL) if there was no close frame.
    #[must_use]
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// Returns the reason in the close frame. A client can send any text: escape it before showing it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns which side ended the connection.
    #[must_use]
    pub fn by(&self) -> ClosedBy {
        self.by
    }
}

/// A message that failed: the event of [`on_error`](crate::WsRouter::on_error). The client has been
/// sent the error already.
#[derive(Debug, Clone)]
pub struct Failure {
    message_type: Option<&'static str>,
    error: Arc<WsError>,
}

impl Failure {
    pub(crate) fn new(message_type: Option<&'static str>, error: WsError) -> Self {
        Self { message_type, error: Arc::new(error) }
    }

    /// Returns the message's type tag, if the router has a handler for it.
    #[must_use]
    pub fn message_type(&self) -> Option<&'static str> {
        self.message_type
    }

    /// Returns the error, with its source.
    #[must_use]
    pub fn error(&self) -> &WsError {
        &self.error
    }
}
