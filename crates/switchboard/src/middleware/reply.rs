//! Replies in middleware.

use crate::conn::Replied;

/// A handler's reply, on its way back through the middleware: an encoded message, or nothing.
///
/// A middleware returns it, or replaces it with an error or [`WsRequest::reply`](super::WsRequest::reply).
#[derive(Debug)]
pub struct WsReply(pub(super) Replied);

impl WsReply {
    /// Creates an empty reply, for events.
    #[must_use]
    pub fn none() -> Self {
        Self(Replied::Nothing)
    }

    /// Returns whether the reply is empty.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self.0, Replied::Nothing)
    }
}
