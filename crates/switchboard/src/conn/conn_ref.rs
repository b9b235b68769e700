//! The handle to a connection of any route.

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

/// A connection to this node, of any route.
///
/// [`Hub::local_connections`](crate::Hub::local_connections) and
/// [`TopicHandle::local_members`](crate::TopicHandle::local_members) return it, and the filters and
/// authorization rules of [`TopicOptions`](crate::TopicOptions) receive it. It is cheap to clone.
/// It keeps the connection's memory alive, but does not keep the connection open.
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

    /// Returns the connection's id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.0.id
    }

    /// Returns the user, if the connection was [identified](crate::Conn::identify).
    #[must_use]
    pub fn user(&self) -> Option<Arc<str>> {
        self.0.user()
    }

    /// Returns the value that [`authenticate`](crate::WsRouter::authenticate) returned, or `None`
    /// if it has another type: routes that share a hub may have different types.
    #[must_use]
    pub fn data<T: Any>(&self) -> Option<&T> {
        self.0.data.downcast_ref()
    }

    /// Returns the values that handlers keep with the connection.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'_> {
        self.0.attributes()
    }

    /// Returns the time when the connection was opened, in whole milliseconds.
    #[must_use]
    pub fn connected_at(&self) -> SystemTime {
        self.0.connected_at()
    }

    /// Returns the time of the client's last message, in whole milliseconds; before the first
    /// message, the time when it connected. Pings and pongs do not count.
    #[must_use]
    pub fn last_activity(&self) -> SystemTime {
        self.0.last_activity()
    }

    /// Returns the topics that the connection is subscribed to, in the order of subscribing.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.0.subscriptions.lock().names()
    }

    /// Returns whether the connection is subscribed to a topic.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn is_subscribed(&self, topic: impl TopicName) -> bool {
        self.0.is_subscribed(topic.topic_name())
    }

    /// Returns the peer's address, as [`Conn::remote_addr`](crate::Conn::remote_addr) does.
    #[must_use]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.remote_addr
    }

    /// Returns the client's IP address: the peer's, or the one reported by a
    /// [trusted proxy](crate::WsRouter::trusted_proxies).
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.0.client_ip()
    }

    /// Returns the round-trip time of the last answered ping, if any.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.0.heartbeat.round_trip()
    }

    /// Returns the number of bytes queued, including per-message overhead.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.0.outbox.buffered()
    }

    /// Returns whether anything is queued, without locking.
    pub(crate) fn has_queued(&self) -> bool {
        self.0.outbox.has_queued()
    }

    /// Returns whether the connection is closed or closing.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.outbox.is_closed()
    }

    /// Sends a message. It is always validated. A slow consumer is closed with 4002, as by
    /// [`Conn::send`](crate::Conn::send).
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::SendErrorKind::Closed) if the connection is closed or closing,
    /// [`Invalid`](crate::SendErrorKind::Invalid) if the message breaks its own validation rules.
    #[expect(clippy::needless_pass_by_value, reason = "a message that is sent is given away")]
    pub fn send<M: Message<Meta = ()>>(&self, message: M) -> Result<(), SendError> {
        let frame = encode::event(&message, None, true)?;
        self.0.push(frame)
    }

    /// Closes the connection with 4503 ("kicked") after everything sent before has been written.
    /// Switchboard's clients do not reconnect after this code.
    pub fn disconnect(&self) {
        self.disconnect_with(CloseCode::KICKED, "kicked");
    }

    /// Closes the connection with a code and a reason, as [`Conn::close`](crate::Conn::close) does.
    pub fn disconnect_with(&self, code: impl Into<CloseCode>, reason: impl AsRef<str>) {
        self.0.close(code.into(), reason.as_ref());
    }

    /// Runs the [`on_reauthorize`](crate::WsRouter::on_reauthorize) hooks, which decide whether the
    /// connection may stay open, before its next message is handled.
    pub fn reauthorize(&self) {
        self.0.signal(Signal::Reauthorize);
    }
}

impl fmt::Debug for ConnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnRef").field("id", &self.id()).finish_non_exhaustive()
    }
}
