//! Frames without an envelope, for routes with their own protocol.

use std::{fmt, ops::Deref, sync::Arc};

use bytes::Bytes;
use switchboard_core::MessageSet;

use crate::{
    conn::{Conn, SendError},
    wire::Frame,
};

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    /// Sends a text frame without an envelope.
    ///
    /// ```
    /// # use switchboard::{Conn, RawText, WsRouter};
    /// async fn echo(conn: Conn, text: RawText) {
    ///     // Fails only if the connection is closed.
    ///     let _ = conn.send_text(format!("You said: {text}"));
    /// }
    /// let router = WsRouter::<()>::new().on_text(echo);
    /// # let _ = router;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`](super::SendErrorKind::Closed) once the connection is closed or closing.
    pub fn send_text(&self, text: impl Into<RawText>) -> Result<(), SendError> {
        self.push_raw(Frame::text(&text.into()))
    }

    /// Sends a binary frame without an envelope.
    ///
    /// # Errors
    ///
    /// [`Closed`](super::SendErrorKind::Closed) once the connection is closed or closing.
    pub fn send_binary(&self, bytes: impl Into<Bytes>) -> Result<(), SendError> {
        self.push_raw(Frame::binary(&bytes.into()))
    }

    fn push_raw(&self, frame: Frame) -> Result<(), SendError> {
        if self.inner.push_raw(frame) { Ok(()) } else { Err(SendError::closed()) }
    }
}

/// The text of a frame without an envelope: the event of
/// [`on_text`](crate::WsRouter::on_text), and the argument of
/// [`send_text`](crate::Conn::send_text). Cheap to clone.
#[derive(Debug, Clone)]
pub struct RawText(Arc<str>);

impl RawText {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for RawText {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for RawText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl From<String> for RawText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for RawText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<RawText> for String {
    fn from(text: RawText) -> Self {
        text.as_str().to_owned()
    }
}
