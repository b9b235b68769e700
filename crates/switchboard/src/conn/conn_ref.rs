//! A connection whatever its data.

use std::{
    any::Any,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use switchboard_core::{CloseCode, Message};

use crate::{
    Hub, TopicName,
    conn::{AnyConn, Attributes, ConnId, SendError, Signal},
    wire::encode,
};

/// A connection of this node, whatever its route's data: what
/// [`Hub::local_connections`](crate::Hub::local_connections) and
/// [`TopicHandle::local_members`](crate::TopicHandle::local_members) list, and what filters and
/// authorizers of topics are given. Cheap to clone; holding one keeps the connection's memory, not
/// the connection.
///
/// ```
/// use switchboard::{ConnRef, Hub};
///
/// struct User {
///     name: String,
///     is_admin: bool,
/// }
///
/// fn names(hub: &Hub, topic: &str) -> Vec<String> {
///     let members = hub.topic(topic).local_members();
///     members.filter_map(|conn| Some(conn.data::<User>()?.name.clone())).collect()
/// }
///
/// fn is_admin(conn: &ConnRef) -> bool {
///     conn.data::<User>().is_some_and(|user| user.is_admin)
/// }
/// # assert!(names(&Hub::new(), "lobby").is_empty());
/// # let _ = is_admin;
/// ```
#[derive(Clone)]
pub struct ConnRef(Arc<AnyConn>);

impl ConnRef {
    pub(crate) fn new(conn: Arc<AnyConn>) -> Self {
        Self(conn)
    }

    pub(crate) fn inner(&self) -> &Arc<AnyConn> {
        &self.0
    }

    pub(crate) fn hub(&self) -> &Hub {
        self.0.hub()
    }

    /// The connection's id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.0.id
    }

    /// The user of the connection, if it was [identified](crate::Conn::identify).
    #[must_use]
    pub fn user(&self) -> Option<Arc<str>> {
        self.0.user()
    }

    /// What authentication returned, if it is of this type: routes that share a hub may have
    /// different ones.
    #[must_use]
    pub fn data<T: Any>(&self) -> Option<&T> {
        self.0.data.downcast_ref()
    }

    /// What handlers keep with the connection.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'_> {
        self.0.attributes()
    }

    /// When the connection was opened, in whole milliseconds.
    #[must_use]
    pub fn connected_at(&self) -> SystemTime {
        self.0.connected_at()
    }

    /// When the client's last message came, in whole milliseconds; before the first, when it
    /// connected. Pings and pongs do not count.
    #[must_use]
    pub fn last_activity(&self) -> SystemTime {
        self.0.last_activity()
    }

    /// The topics that the connection is subscribed to, in the order of subscribing.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.0.subscriptions.lock().names()
    }

    /// Whether the connection is subscribed to a topic.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn is_subscribed(&self, topic: impl TopicName) -> bool {
        // The application's code, and so run before anything is locked.
        let name = self.0.hub().name(topic.topic_name());
        self.0.subscriptions.lock().contains(&name)
    }

    /// The peer's address: see [`Conn::remote_addr`](crate::Conn::remote_addr).
    #[must_use]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.remote_addr
    }

    /// The client's address: the peer's, or what a proxy says that is
    /// [trusted](crate::WsRouter::trusted_proxies).
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.0.client_ip()
    }

    /// How long the last ping took to be answered, if one was.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.0.heartbeat.round_trip()
    }

    /// How many bytes wait to be written, each message's overhead included.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.0.outbox.buffered()
    }

    /// A look without a lock.
    pub(crate) fn has_queued(&self) -> bool {
        self.0.outbox.has_queued()
    }

    /// Whether the connection is closed or closing.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.outbox.is_closed()
    }

    /// Sends a message, which is always validated.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::SendErrorKind::Closed) once the connection is closed or closing, and
    /// [`Invalid`](crate::SendErrorKind::Invalid) if the message breaks its own rules. When the
    /// connection's queue overflows it is closed with 4002, as by [`Conn::send`](crate::Conn::send).
    #[expect(clippy::needless_pass_by_value, reason = "a message that is sent is given away")]
    pub fn send<M: Message<Meta = ()>>(&self, message: M) -> Result<(), SendError> {
        let frame = encode::event(&message, None, true)?;
        self.0.push(frame)
    }

    /// Closes the connection with 4503, "kicked", once everything sent before has left: clients of
    /// this project do not come back by themselves.
    pub fn disconnect(&self) {
        self.disconnect_with(CloseCode::KICKED, "kicked");
    }

    /// Closes the connection, as [`Conn::close`](crate::Conn::close) does.
    pub fn disconnect_with(&self, code: impl Into<CloseCode>, reason: impl AsRef<str>) {
        self.0.close(code.into(), reason.as_ref());
    }

    /// Has the hooks of [`on_reauthorize`](crate::WsRouter::on_reauthorize) decide again whether
    /// this connection may stay, before its next message.
    pub fn reauthorize(&self) {
        self.0.signal(Signal::Reauthorize);
    }
}

impl fmt::Debug for ConnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnRef").field("id", &self.id()).finish_non_exhaustive()
    }
}
