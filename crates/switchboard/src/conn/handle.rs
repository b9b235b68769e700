//! The handle to a connection.

use std::{
    any::Any,
    fmt,
    future::{Future as _, poll_fn},
    marker::PhantomData,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use switchboard_core::{AnyMessage, CloseCode, MemberOf, Message, MessageSet};

use crate::{
    Hub,
    conn::{ConnId, ConnInner, SendError},
    hub::{Operation, Publish, Subscribe, TopicName, TopicOf},
    outbox::Until,
    wire::encode,
};

/// A handle to one connection. Handlers and hooks take it as an argument; it is cheap to clone and
/// can be moved to other tasks.
///
/// `D` is the value that [`authenticate`](crate::WsRouter::authenticate) returned. `Out` restricts
/// the messages that can be sent; by default, any message can.
///
/// The client receives the messages of a handler in the order of the calls: messages sent,
/// messages published to topics that the connection is subscribed to, and then the reply.
///
/// ```
/// use switchboard::{Conn, WsError, ws_message};
///
/// #[ws_message("PING")]
/// struct Ping;
///
/// #[ws_message("PONG")]
/// struct Pong {
///     topics: usize,
/// }
///
/// async fn ping(conn: Conn, _: Ping) -> Result<(), WsError> {
///     conn.subscribe("news").await?;
///     conn.send(Pong { topics: conn.topics().len() })?;
///     Ok(())
/// }
/// # let _ = switchboard::WsRouter::<()>::new().on(ping);
/// ```
pub struct Conn<D = (), Out = AnyMessage> {
    pub(super) inner: Arc<ConnInner<D>>,
    out: PhantomData<fn(Out)>,
}

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    pub(crate) fn new(inner: Arc<ConnInner<D>>) -> Self {
        Self { inner, out: PhantomData }
    }

    pub(crate) fn inner(&self) -> &ConnInner<D> {
        &self.inner
    }

    /// Sends a message.
    ///
    /// The message is queued. It is written when the handler returns or waits, or at once if much
    /// is queued. In a loop that sends a lot, await [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::SendErrorKind::Closed) if the connection is closed or closing,
    /// [`Invalid`](crate::SendErrorKind::Invalid) if the message breaks its own validation rules.
    ///
    /// # Slow consumers
    ///
    /// If the queue exceeds [`Config::max_outbound_bytes`](crate::Config::max_outbound_bytes), the
    /// connection is closed with 4002. With TLS, HTTP/2 and axum's transport only the connection's
    /// own task can write, so a handler that never waits can overflow the queue of a fast client.
    #[expect(clippy::needless_pass_by_value, reason = "a message that is sent is given away")]
    pub fn send<M>(&self, message: M) -> Result<(), SendError>
    where
        M: Message<Meta = ()> + MemberOf<Out>,
    {
        self.send_envelope(&message, None)
    }

    /// Publishes a message to the subscribers of a topic, including this connection if it is
    /// subscribed.
    ///
    /// A [`Topic<M>`](crate::Topic) accepts only messages of type `M`; a string accepts any.
    ///
    /// ```
    /// # use switchboard::{Conn, WsError, ws_message};
    /// # #[ws_message("TYPING")] struct Typing;
    /// async fn typing(conn: Conn, typing: Typing) -> Result<(), WsError> {
    ///     conn.publish("room:1", typing).except_self().await?;
    ///     Ok(())
    /// }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn publish<M>(&self, topic: impl TopicOf<M>, message: M) -> Publish
    where
        M: Message<Meta = ()> + MemberOf<Out>,
    {
        self.inner.settings.check_declared(M::TYPE);
        let validate = self.inner.config().validate_outbound;
        self.inner.hub().publish_from(topic.topic_name(), message, Some(self.any()), validate)
    }

    /// Subscribes to a topic. Returns `false` if the connection was subscribed already.
    ///
    /// Completes without waiting unless the topic has an authorization rule
    /// ([`TopicOptions::authorize_subscribe`](crate::TopicOptions::authorize_subscribe)). Add a
    /// [`filter`](Subscribe::filter) to receive only some of the messages.
    pub fn subscribe(&self, topic: impl TopicName) -> Subscribe {
        Subscribe::new(self.change([topic], Operation::Join))
    }

    /// Returns the value that [`authenticate`](crate::WsRouter::authenticate) returned. For data
    /// that changes, put a lock or an atomic into it, or use [`attributes`](Self::attributes).
    #[must_use]
    pub fn data(&self) -> &D {
        &self.inner.data
    }

    /// Returns the connection's id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.inner.id
    }

    /// Returns the hub that the connection belongs to.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        self.inner.hub()
    }

    /// Returns the peer's address, if the server provides it: serve with
    /// [`switchboard::serve`](crate::serve) or
    /// [`into_make_service_with_connect_info::<SocketAddr>()`](axum::Router::into_make_service_with_connect_info).
    ///
    /// Behind a proxy this is the proxy's address; see [`client_ip`](Self::client_ip).
    #[must_use]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.inner.remote_addr
    }

    /// Returns the client's IP address: the peer's, or the one reported by a
    /// [trusted proxy](crate::WsRouter::trusted_proxies).
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.inner.client_ip()
    }

    /// Sends a message with `meta`, of the type that the message declares.
    ///
    /// # Errors
    ///
    /// The same as [`send`](Self::send).
    #[expect(clippy::needless_pass_by_value, reason = "a message that is sent is given away")]
    pub fn send_with_meta<M>(&self, message: M, meta: M::Meta) -> Result<(), SendError>
    where
        M: Message + MemberOf<Out>,
    {
        self.send_envelope(&message, Some(&meta))
    }

    fn send_envelope<M: Message>(&self, message: &M, meta: Option<&M::Meta>) -> Result<(), SendError> {
        self.inner.settings.check_declared(M::TYPE);
        let frame = encode::event(message, meta, self.inner.config().validate_outbound)?;
        self.inner.push(frame)
    }

    /// Closes the connection after everything sent before has been written. That includes the
    /// reply of the handler that calls this, if it returns without waiting again.
    ///
    /// A code that must not appear in a close frame is replaced with 1000, and the reason is
    /// truncated to 123 bytes. Further calls have no effect.
    pub fn close(&self, code: impl Into<CloseCode>, reason: impl AsRef<str>) {
        self.inner.close(code.into(), reason.as_ref());
    }

    /// Returns whether the connection is closed or closing.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.outbox.is_closed()
    }

    /// Waits until the connection is closed or closing. Use it to end a task that serves the
    /// connection.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard::{Conn, ws_message};
    ///
    /// #[ws_message("TICK")]
    /// struct Tick;
    ///
    /// async fn start(conn: Conn) {
    ///     tokio::spawn(async move {
    ///         let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ///         loop {
    ///             tokio::select! {
    ///                 () = conn.closed() => break,
    ///                 _ = ticks.tick() => {}
    ///             }
    ///             _ = conn.send(Tick);
    ///         }
    ///     });
    /// }
    /// # let _ = switchboard::WsRouter::<()>::new().on_open(start);
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) {
        self.inner.outbox.wait(Until::Closed).await;
    }

    /// Waits until the outbound queue is at most half full: backpressure for loops that send a lot.
    ///
    /// If the client reads nothing for [`write_timeout`](crate::Config::write_timeout) meanwhile,
    /// the connection is closed with 4002. When several tasks wait, all of them continue at once.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::SendErrorKind::Closed) if the connection is closed or closing.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn ready(&self) -> Result<(), SendError> {
        let outbox = &self.inner.outbox;
        let mut room = pin!(outbox.wait(Until::Room));
        // A loop that sends to a fast client would otherwise starve other tasks.
        tokio::task::coop::consume_budget().await;
        // There usually is room, and then no timer is needed.
        if let Poll::Ready(is_open) = poll_fn(|cx| Poll::Ready(room.as_mut().poll(cx))).await {
            return closed_unless(is_open);
        }
        let mut written = outbox.written_so_far();
        loop {
            let timeout = self.inner.config().write_timeout;
            if let Ok(is_open) = tokio::time::timeout(timeout, room.as_mut()).await {
                return closed_unless(is_open);
            }
            let now = outbox.written_so_far();
            if now == written {
                outbox.overflow();
                return closed_unless(false);
            }
            written = now;
        }
    }

    /// Waits until everything sent so far has been handed to the operating system.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::SendErrorKind::Closed) if the connection is closed or closing.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn flushed(&self) -> Result<(), SendError> {
        closed_unless(self.inner.outbox.wait(Until::Flushed).await)
    }

    /// Returns the number of bytes queued, including per-message overhead.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.inner.outbox.buffered()
    }

    /// Returns the round-trip time of the last answered ping, if any.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.inner.heartbeat.round_trip()
    }
}

fn closed_unless(is_open: bool) -> Result<(), SendError> {
    if is_open { Ok(()) } else { Err(SendError::closed()) }
}

impl<D, Out> Clone for Conn<D, Out> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), out: PhantomData }
    }
}

impl<D: Any, Out> fmt::Debug for Conn<D, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn").field("id", &self.inner.id).finish_non_exhaustive()
    }
}
