//! The handle to a connection, and iterators over connections.

use std::{fmt, marker::PhantomData, sync::Arc, vec};

use switchboard_core::{AnyMessage, CloseCode, MemberOf, Message, MessageSet, Request};

use crate::{
    conn::{AnyConn, ConnId, ConnRef, SendError},
    fanout::IterGuard,
    hub::{CallFirst, Hub, Topic, calls::Target},
    wire::encode,
};

/// A handle to a connection by its id: [`Hub::connection`].
///
/// The connection may be open on any node of the hub, or closed. The other nodes are asked if it is
/// not open on this one, and one that has not answered within 300 ms counts as one that does not
/// have it. For a connection to this node, use [`Hub::local_connection`].
///
/// ```
/// use switchboard::{ConnId, Hub};
///
/// async fn kick(hub: &Hub, id: ConnId) -> bool {
///     hub.connection(id).disconnect().await
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

    /// Returns the connection's id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// Returns the connection, if it is open and connected to this node.
    #[must_use]
    pub fn local(&self) -> Option<ConnRef> {
        self.hub.local_connection(self.id)
    }

    /// Sends a message. It is always validated.
    ///
    /// # Errors
    ///
    /// The same as [`ConnRef::send`], and [`Closed`](crate::SendErrorKind::Closed) if there is no
    /// connection with this id.
    pub async fn send<M: Message<Meta = ()> + MemberOf<Out>>(&self, message: M) -> Result<(), SendError> {
        let frame = encode::event(&message, None, true)?;
        if let Some(conn) = self.hub.0.connection(self.id) {
            return conn.push(frame);
        }
        match (&self.hub.0.link, frame.text_payload()) {
            (Some(link), Some(text)) if link.send_to(self.id, text).await => Ok(()),
            _ => Err(SendError::closed()),
        }
    }

    /// Sends a request to the client, and waits for its response.
    ///
    /// ```
    /// use switchboard::{CallError, ConnId, Hub, ws_message, ws_rpc};
    ///
    /// #[ws_message("CONFIRMED")]
    /// struct Confirmed {
    ///     yes: bool,
    /// }
    ///
    /// #[ws_rpc("CONFIRM", response = Confirmed)]
    /// struct Confirm {
    ///     question: String,
    /// }
    ///
    /// async fn ask(hub: &Hub, id: ConnId) -> Result<bool, CallError> {
    ///     let question = "log in on a new device?".into();
    ///     Ok(hub.connection(id).call(Confirm { question }).await?.yes)
    /// }
    /// # let _ = ask;
    /// ```
    pub fn call<R: Request<Meta = ()> + MemberOf<Out>>(&self, request: R) -> CallFirst<R> {
        CallFirst::new(&self.hub, Target::Connection(self.id), request)
    }

    /// Closes the connection with 4503 ("kicked"). Returns `false` if there is none with this id.
    pub async fn disconnect(&self) -> bool {
        self.disconnect_with(CloseCode::KICKED, "kicked").await
    }

    /// Closes the connection with a code and a reason, as [`Conn::close`](crate::Conn::close) does.
    /// Returns `false` if there is none with this id.
    pub async fn disconnect_with(&self, code: impl Into<CloseCode>, reason: impl AsRef<str>) -> bool {
        let (code, reason) = (code.into(), reason.as_ref());
        if let Some(conn) = self.local() {
            conn.disconnect_with(code, reason);
            return true;
        }
        match &self.hub.0.link {
            Some(link) => link.disconnect(self.id, code, reason).await,
            None => false,
        }
    }

    /// Runs the [`on_reauthorize`](crate::WsRouter::on_reauthorize) hooks, which decide whether the
    /// connection may stay open, before its next message is handled. Returns `false` if there is
    /// none with this id.
    pub async fn reauthorize(&self) -> bool {
        if let Some(conn) = self.local() {
            conn.reauthorize();
            return true;
        }
        match &self.hub.0.link {
            Some(link) => link.reauthorize(self.id).await,
            None => false,
        }
    }
}

impl<Out> fmt::Debug for ConnectionHandle<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Hub {
    pub(crate) fn local_members(&self, topic: &str) -> Members {
        let topic = self.find_topic(&self.name(topic));
        Members {
            next: topic.is_some().then_some(0),
            topic: topic.map(IterGuard::begin),
            chunk: Vec::new().into_iter(),
        }
    }
}

/// An iterator over the open connections to this node: [`Hub::local_connections`].
#[must_use = "iterators are lazy"]
pub struct Connections {
    hub: Hub,
    ids: vec::IntoIter<ConnId>,
}

impl Connections {
    pub(crate) fn new(hub: &Hub, ids: Vec<ConnId>) -> Self {
        Self { hub: hub.clone(), ids: ids.into_iter() }
    }
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

/// An iterator over the subscribers of a topic that are connected to this node:
/// [`TopicHandle::local_members`](crate::TopicHandle::local_members).
///
/// While it exists, the topic does not free the memory of subscribers that leave.
#[must_use = "iterators are lazy"]
pub struct Members {
    topic: Option<IterGuard<Arc<Topic>>>,
    /// Where the next chunk begins in the topic.
    next: Option<usize>,
    chunk: vec::IntoIter<Arc<AnyConn>>,
}

impl Iterator for Members {
    type Item = ConnRef;

    fn next(&mut self) -> Option<ConnRef> {
        loop {
            if let Some(conn) = self.chunk.next() {
                return Some(ConnRef::new(conn));
            }
            let (topic, start) = (self.topic.as_ref()?, self.next?);
            let mut chunk = Vec::new();
            self.next = topic.members_from(start, &mut chunk);
            self.chunk = chunk.into_iter();
        }
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("topic", &self.topic.as_ref().map(|topic| topic.name())).finish_non_exhaustive()
    }
}
