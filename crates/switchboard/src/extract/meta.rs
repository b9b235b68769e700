//! The `meta` of a message as an argument.

use std::ops::Deref;

/// The `meta` of the message: the protocol's keys, and those that the message's type declares.
///
/// A handler of a message with `meta = RoomMeta` takes `Meta<RoomMeta>`; others take `Meta`. What the
/// type declares is checked whether a handler takes it or not.
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

    /// The correlation id, if the message has one. A request always has.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// When the client says that it sent the message, in milliseconds since 1970: for display only.
    #[must_use]
    pub fn timestamp(&self) -> Option<f64> {
        self.timestamp
    }

    /// The keys that the type declares.
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
