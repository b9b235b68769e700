//! The `meta` of a message.

use std::ops::Deref;

/// The `meta` of the message: the keys of the protocol, and those that the message declares.
///
/// A handler of a message with `meta = RoomMeta` takes `Meta<RoomMeta>`, other handlers `Meta`.
/// Declared keys are checked even if no handler takes them.
///
/// ```
/// use switchboard::{Meta, ws_message, ws_meta};
///
/// #[ws_meta]
/// struct RoomMeta {
///     room_id: String,
/// }
///
/// #[ws_message("ROOM_NOTE", meta = RoomMeta)]
/// struct RoomNote {
///     text: String,
/// }
///
/// async fn note(meta: Meta<RoomMeta>, note: RoomNote) {
///     println!("{}: {}", meta.room_id, note.text);
/// }
/// # let _ = switchboard::WsRouter::<()>::new().on(note);
/// ```
#[derive(Debug, Clone)]
pub struct Meta<T = ()> {
    correlation_id: Option<String>,
    timestamp: Option<f64>,
    declared: T,
}

impl<T> Meta<T> {
    pub(crate) fn new(correlation_id: Option<String>, timestamp: Option<f64>, declared: T) -> Self {
        Self { correlation_id, timestamp, declared }
    }

    /// Returns the correlation id. A request always has one, an event may.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// Returns when the client claims to have sent the message, in milliseconds since 1970. Use it for
    /// display only.
    #[must_use]
    pub fn timestamp(&self) -> Option<f64> {
        self.timestamp
    }

    /// Returns the keys that the message declares.
    #[must_use]
    pub fn into_declared(self) -> T {
        self.declared
    }
}

impl<T> Deref for Meta<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.declared
    }
}
