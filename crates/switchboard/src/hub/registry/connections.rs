//! Finding connections.

use std::{fmt, marker::PhantomData, sync::Arc, vec};

use switchboard_core::{AnyMessage, CloseCode, MemberOf, Message, MessageSet};

use crate::{
    conn::{AnyConn, ConnId, ConnRef, SendError, Signal},
    fanout::IterGuard,
    hub::{Hub, Topic},
    wire::encode,
};

/// A connection of a hub, by its id: [`Hub::connection`]. It may be connected to any node of the hub, or
/// gone.
///
/// ```
/// use switchboard::{ConnId, Hub};
///
/// async fn kick(hub: &Hub, id: ConnId) -> bool {
///     hub.local_connection(id).disconnect().await
/// }
/// # let _ = kick;
/// ```
pub struct ConnectionHandle<Out = AnyMessage> {
    hub: Hub,
    id: ConnId,
    out: PhantomData<fn(Out)>,
}

impl<Out: MessageSet> ConnectionHandle<Out> {
    pub(crate) fn new(hub: &Hub, id: ConnId) -> Self {
        Self { hub: hub.clone(), id, out: PhantomData }
    }

    /// The connection's id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// Returns the connection if it is open and connected to this node.
    #[must_use]
    pub fn local(&self) -> Option<ConnRef> {
        self.hub.local_connection(self.id)
    }

    /// Sends a message. It is always validated.
    ///
    /// # Errors
    ///
    /// As [`ConnRef::send`]; [`Closed`](crate::SendErrorKind::Closed) also if there is no connection
    /// with this id.
    #[expect(clippy::unused_async, reason = "other nodes will be told")]
    pub async fn send<M: Message<Meta = ()> + MemberOf<Out>>(&self, message: M) -> Result<(), SendError> {
        let frame = encode::event(&message, None, true)?;
        self.hub.0.connection(self.id).ok_or_else(SendError::closed)?.push(frame)
    }

    /// Closes the connection with 4503, "kicked". `false` if there is none with this id.
    pub async fn disconnect(&self) -> bool {
        self.disconnect_with(CloseCode::KICKED, "kicked").await
    }

    /// Closes the connection with a code and reason, as [`Conn::close`](crate::Conn::close) does.
    /// `false` if there is none with this id.
    #[expect(clippy::unused_async, reason = "other nodes will be told")]
    pub async fn disconnect_with(&self, code: impl Into<CloseCode>, reason: impl AsRef<str>) -> bool {
        let Some(conn) = self.hub.0.connection(self.id) else { return false };
        conn.close(code.into(), reason.as_ref());
        true
    }

    /// Has the hooks of [`on_reauthorize`](crate::WsRouter::on_reauthorize) decide again whether the
    /// connection may stay, before its next message. `false` if there is none with this id.
    #[expect(clippy::unused_async, reason = "other nodes will be told")]
    pub async fn reauthorize(&self) -> bool {
        let Some(conn) = self.hub.0.connection(self.id) else { return false };
        conn.signal(Signal::Reauthorize);
        true
    }
}

impl<Out> fmt::Debug for ConnectionHandle<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Hub {
    /// A connection with this id.
    pub fn connection(&self, id: ConnId) -> ConnectionHandle {
        ConnectionHandle::new(self, id)
    }

    /// Returns the connection with this id if it is open and connected to this node.
    #[must_use]
    pub fn local_connection(&self, id: ConnId) -> Option<ConnRef> {
        self.0.connection(id).map(ConnRef::new)
    }

    /// Lists the open connections to this node, in no order. It is a snapshot of ids, 16 bytes each;
    /// connections that have closed when it is their turn are left out.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard::Hub;
    ///
    /// /// Closes connections whose clients have sent nothing for long.
    /// fn sweep(hub: &Hub, longest: Duration) {
    ///     for conn in hub.local_connections() {
    ///         if conn.last_activity().elapsed().is_ok_and(|idle| idle > longest) {
    ///             conn.disconnect_with(4000, "idle");
    ///         }
    ///     }
    /// }
    /// # sweep(&Hub::new(), Duration::from_secs(60));
    /// ```
    pub fn local_connections(&self) -> Connections {
        let ids = self.0.registry.lock().ids();
        Connections { hub: self.clone(), ids: ids.into_iter() }
    }

    pub(crate) fn local_members(&self, topic: &str) -> Members {
        let topic = self.find_topic(&self.name(topic));
        Members {
            next: topic.is_some().then_some(0),
            topic: topic.map(IterGuard::begin),
            portion: Vec::new().into_iter(),
        }
    }
}

/// Open connections to this node: [`Hub::local_connections`].
#[must_use = "iterators are lazy"]
pub struct Connections {
    hub: Hub,
    ids: vec::IntoIter<ConnId>,
}

impl Iterator for Connections {
    type Item = ConnRef;

    fn next(&mut self) -> Option<ConnRef> {
        self.ids.find_map(|id| self.hub.local_connection(id))
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

/// Subscribers of a topic that are connected to this node:
/// [`TopicHandle::local_members`](crate::TopicHandle::local_members).
///
/// While it exists, the topic keeps the memory of subscribers that have left.
#[must_use = "iterators are lazy"]
pub struct Members {
    topic: Option<IterGuard<Arc<Topic>>>,
    /// From where in the topic the next portion is taken.
    next: Option<usize>,
    portion: vec::IntoIter<Arc<AnyConn>>,
}

impl Iterator for Members {
    type Item = ConnRef;

    fn next(&mut self) -> Option<ConnRef> {
        loop {
            if let Some(conn) = self.portion.next() {
                return Some(ConnRef::new(conn));
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
