//! Finding connections.

use std::{fmt, sync::Arc, vec};

use switchboard_core::{CloseCode, Message};

use crate::{
    conn::{AnyConn, ConnId, HubConn, SendError},
    fanout::IterGuard,
    hub::{Hub, Topic, TopicName},
    wire::encode,
};

impl Hub {
    /// The open connection with this id.
    #[must_use]
    pub fn connection(&self, id: ConnId) -> Option<HubConn> {
        self.0.connection(id).map(HubConn::new)
    }

    /// All open connections, in no order: those that are there now, without those that have left
    /// when it is their turn. Takes 16 bytes for each, and locks nothing while they are looked at.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard::Hub;
    ///
    /// /// Closes connections whose clients have said nothing for long.
    /// fn sweep(hub: &Hub, longest: Duration) {
    ///     for conn in hub.connections() {
    ///         if conn.last_activity().elapsed().is_ok_and(|idle| idle > longest) {
    ///             conn.disconnect_with(4000, "idle");
    ///         }
    ///     }
    /// }
    /// # sweep(&Hub::new(), Duration::from_secs(60));
    /// ```
    pub fn connections(&self) -> Connections {
        let ids = self.0.registry.lock().ids();
        Connections { hub: self.clone(), ids: ids.into_iter() }
    }

    /// The members of a topic, without those that are being closed, in no order. They are taken
    /// from the topic in portions: who joins or leaves meanwhile may be among them or not, and who
    /// leaves and comes back may be so twice. Locks nothing while they are looked at.
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn members(&self, topic: impl TopicName) -> Members {
        let topic = self.topic(&self.name(topic.topic_name()));
        Members {
            next: topic.is_some().then_some(0),
            topic: topic.map(IterGuard::begin),
            portion: Vec::new().into_iter(),
        }
    }

    /// Sends a message to one connection. It is always validated.
    ///
    /// # Errors
    ///
    /// As [`HubConn::send`]; [`Closed`](crate::SendErrorKind::Closed) also if there is no
    /// connection with this id.
    #[expect(clippy::needless_pass_by_value, reason = "a message that is sent is given away")]
    pub fn send_to<M: Message<Meta = ()>>(&self, id: ConnId, message: M) -> Result<(), SendError> {
        let frame = encode::event(&message, None, true)?;
        self.0.connection(id).ok_or_else(SendError::closed)?.push(frame)
    }

    /// Closes a connection with 4503, "kicked". `false` if there is none with this id.
    pub fn disconnect(&self, id: ConnId) -> bool {
        self.disconnect_with(id, CloseCode::KICKED, "kicked")
    }

    /// Closes a connection with a code and reason, as [`Conn::close`](crate::Conn::close) does.
    /// `false` if there is none with this id.
    pub fn disconnect_with(&self, id: ConnId, code: impl Into<CloseCode>, reason: impl AsRef<str>) -> bool {
        let Some(conn) = self.0.connection(id) else { return false };
        conn.close(code.into(), reason.as_ref());
        true
    }
}

/// Open connections of a hub: see [`Hub::connections`].
#[must_use = "iterators are lazy"]
pub struct Connections {
    hub: Hub,
    ids: vec::IntoIter<ConnId>,
}

impl Iterator for Connections {
    type Item = HubConn;

    fn next(&mut self) -> Option<HubConn> {
        self.ids.find_map(|id| self.hub.connection(id))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.ids.len()))
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("left", &self.ids.len()).finish_non_exhaustive()
    }
}

/// Members of a topic: see [`Hub::members`].
///
/// As long as it is kept, the topic keeps the room of members that have left.
#[must_use = "iterators are lazy"]
pub struct Members {
    topic: Option<IterGuard<Arc<Topic>>>,
    /// From where in the topic the next portion is taken.
    next: Option<usize>,
    portion: vec::IntoIter<Arc<AnyConn>>,
}

impl Iterator for Members {
    type Item = HubConn;

    fn next(&mut self) -> Option<HubConn> {
        loop {
            if let Some(conn) = self.portion.next() {
                return Some(HubConn::new(conn));
            }
            let (topic, start) = (self.topic.as_ref()?, self.next?);
            let mut portion = Vec::new();
            self.next = topic.members_from(start, &mut portion);
            self.portion = portion.into_iter();
        }
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("topic", &self.topic.as_ref().map(|topic| topic.name())).finish_non_exhaustive()
    }
}
