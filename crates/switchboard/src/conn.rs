//! A connection as handlers see it.

mod activity;
mod call;
mod cold;
mod control;
mod error;
mod heartbeat;
mod hub_conn;
mod identity;
mod inner;
mod raw;
mod reply;
mod topics;

use std::{
    any::Any,
    fmt,
    future::{Future as _, poll_fn},
    marker::PhantomData,
    net::{IpAddr, SocketAddr},
    pin::pin,
    str::FromStr,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use switchboard_core::{AnyMessage, CloseCode, MemberOf, Message, MessageSet};
use uuid::Uuid;

pub(crate) use self::{
    call::{Answer, NoAnswer, PREFIX as CALL_PREFIX},
    cold::{LayerState, LayerStateKey},
    inner::{AnyConn, ConnInner, ConnOrigin, Dialect, RouteSettings, Signal, UpgradeValue, UpgradeValues},
    reply::{Replied, reply},
};
pub use self::{
    call::{Call, CallError, CallErrorKind, CallFuture},
    cold::{Attributes, TooManyAttributes},
    error::{SendError, SendErrorKind},
    hub_conn::HubConn,
    identity::{Identity, RefreshToken},
    raw::RawText,
};
use crate::{Hub, outbox::Until, wire::encode};

/// A connection's id: a UUID v7, the same as the response header `x-client-id` of its upgrade.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(Uuid);

impl ConnId {
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Milliseconds since 1970: the time of a UUID v7.
    fn made_at_ms(self) -> u64 {
        let [a, b, c, d, e, f, ..] = *self.as_bytes();
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// The UUID's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// Reads a UUID.
impl FromStr for ConnId {
    type Err = InvalidConnId;

    fn from_str(text: &str) -> Result<Self, InvalidConnId> {
        text.parse().map(Self).map_err(|_| InvalidConnId(()))
    }
}

/// The text is not a connection's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidConnId(());

impl fmt::Display for InvalidConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a connection id")
    }
}

impl std::error::Error for InvalidConnId {}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A handle to one connection: an extractor of handlers and hooks, cheap to clone, and usable
/// after them and from other tasks.
///
/// `D` is what [`authenticate`](crate::WsRouter::authenticate) returned. `Out` restricts what may
/// be sent; by default that is any message.
///
/// Everything that one handler does to a connection arrives in the order of the calls: messages
/// sent, messages published that reach it, and the reply.
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
    inner: Arc<ConnInner<D>>,
    out: PhantomData<fn(Out)>,
}

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    pub(crate) fn new(inner: Arc<ConnInner<D>>) -> Self {
        Self { inner, out: PhantomData }
    }

    pub(crate) fn inner(&self) -> &ConnInner<D> {
        &self.inner
    }

    /// The connection's id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.inner.id
    }

    /// What authentication returned. To change it later, put a lock or an atomic into it.
    #[must_use]
    pub fn data(&self) -> &D {
        &self.inner.data
    }

    /// The hub that the connection belongs to.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        self.inner.hub()
    }

    /// The peer's address, if the application serves with [`switchboard::serve`](crate::serve) or
    /// [`into_make_service_with_connect_info::<SocketAddr>()`](axum::Router::into_make_service_with_connect_info).
    #[must_use]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.inner.remote_addr
    }

    /// The client's address: the peer's, or what a proxy says that is
    /// [trusted](crate::WsRouter::trusted_proxies).
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.inner.client_ip()
    }

    /// How long the last ping took to be answered, if one was.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.inner.heartbeat.round_trip()
    }

    /// Sends a message. It is queued and leaves at the end of the handler's turn, when it is done
    /// or waits for something; or at once if much is queued.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendErrorKind::Closed) once the connection is closed or closing, and
    /// [`Invalid`](SendErrorKind::Invalid) if the message breaks its own rules. When the queue
    /// overflows ([`Config::max_outbound_bytes`](crate::Config::max_outbound_bytes)), because the
    /// client does not read as fast, the connection is closed with 4002: await
    /// [`ready`](Self::ready) in loops that send much. Where only the connection's task can write
    /// (TLS, HTTP/2, axum's transport) that also happens to a client that reads, since nothing is
    /// written before the handler waits.
    #[expect(clippy::needless_pass_by_value, reason = "a message that is sent is given away")]
    pub fn send<M>(&self, message: M) -> Result<(), SendError>
    where
        M: Message<Meta = ()> + MemberOf<Out>,
    {
        self.send_envelope(&message, None)
    }

    /// Sends a message with the keys that its type declares in `meta`.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
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

    /// Closes the connection once everything sent before has left; so has the reply of a handler
    /// that calls this and is then ready. A code that may not stand in a close frame is sent as
    /// 1000; the reason is cut to 123 bytes. Later calls change nothing.
    pub fn close(&self, code: impl Into<CloseCode>, reason: impl AsRef<str>) {
        self.inner.close(code.into(), reason.as_ref());
    }

    /// Whether the connection is closed or closing.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.outbox.is_closed()
    }

    /// How many bytes wait to be written, each message's overhead included.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.inner.outbox.buffered()
    }

    /// Waits until at most half of the outbound limit waits to be written. Several tasks that send
    /// to one connection are all let go on at once.
    ///
    /// A client that takes nothing at all for [`write_timeout`](crate::Config::write_timeout)
    /// meanwhile is closed with 4002.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendErrorKind::Closed) once the connection is closed or closing.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost when it is dropped.
    pub async fn ready(&self) -> Result<(), SendError> {
        let outbox = &self.inner.outbox;
        let mut room = pin!(outbox.wait(Until::Room));
        // Else a loop that sends to a client who reads fast would keep others from running.
        tokio::task::coop::consume_budget().await;
        // Mostly there is some, and no need for a timer.
        if let Poll::Ready(is_open) = poll_fn(|cx| Poll::Ready(room.as_mut().poll(cx))).await {
            return open(is_open);
        }
        let mut written = outbox.written_so_far();
        loop {
            let timeout = self.inner.config().write_timeout;
            if let Ok(is_open) = tokio::time::timeout(timeout, room.as_mut()).await {
                return open(is_open);
            }
            let now = outbox.written_so_far();
            if now == written {
                outbox.overflow();
                return open(false);
            }
            written = now;
        }
    }

    /// Waits until everything sent so far was handed to the operating system.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendErrorKind::Closed) once the connection is closed or closing.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost when it is dropped.
    pub async fn flushed(&self) -> Result<(), SendError> {
        open(self.inner.outbox.wait(Until::Flushed).await)
    }
}

/// What waiting on an outbox gives.
fn open(open: bool) -> Result<(), SendError> {
    if open { Ok(()) } else { Err(SendError::closed()) }
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
