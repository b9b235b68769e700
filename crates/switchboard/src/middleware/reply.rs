//! What comes back through the middleware.

use crate::conn::Replied;

/// What a handler has replied, on its way back through the middleware: a message, or nothing.
///
/// It is written already; a middleware passes it on, or replaces it with an error or with
/// [`WsRequest::reply`](super::WsRequest::reply).
#[derive(Debug)]
pub struct WsReply(pub(super) Replied);

impl WsReply {
    /// No reply: for events.
    #[must_use]
    pub fn none() -> Self {
        Self(Replied::Nothing)
    }

    /// Whether there is nothing to be sent.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self.0, Replied::Nothing)
    }
}
