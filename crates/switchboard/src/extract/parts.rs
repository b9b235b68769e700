//! What extractors are made from.

use std::{any::Any, fmt, sync::Arc};

use switchboard_core::{MessageMeta, WsError, envelope};

use crate::{
    Conn, ConnId, Hub,
    conn::ConnInner,
    router::{CallId, StateScope},
};

/// A connection as extractors see it.
pub struct ConnParts<D> {
    conn: Arc<ConnInner<D>>,
    scope: Option<Arc<StateScope>>,
}

impl<D: Send + Sync + 'static> ConnParts<D> {
    pub(crate) fn new(conn: Arc<ConnInner<D>>, scope: Option<Arc<StateScope>>) -> Self {
        Self { conn, scope }
    }

    /// The connection's id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.conn.id
    }

    /// What authentication returned.
    #[must_use]
    pub fn data(&self) -> &D {
        &self.conn.data
    }

    /// A handle to the connection.
    #[must_use]
    pub fn conn(&self) -> Conn<D> {
        Conn::new(Arc::clone(&self.conn))
    }

    /// The hub that the connection belongs to.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        self.conn.hub()
    }

    /// A value that [`Setup::keep`](super::Setup::keep) asked for.
    ///
    /// # Errors
    ///
    /// `INTERNAL` if nobody did.
    pub fn kept<T: 'static>(&self) -> Result<&T, WsError> {
        let scope = self.scope.as_ref().map_or(0, |scope| scope.id);
        self.conn.kept.get(scope).ok_or_else(|| {
            WsError::internal(format!("{} was not kept: call `Setup::keep` in `setup`", std::any::type_name::<T>()))
        })
    }

    pub(crate) fn inner(&self) -> &Arc<ConnInner<D>> {
        &self.conn
    }

    fn any_state(&self) -> &Arc<dyn Any + Send + Sync> {
        match &self.scope {
            Some(scope) => &scope.state,
            None => &self.conn.state,
        }
    }

    pub(crate) fn state_handle(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(self.any_state())
    }

    /// The state of the router that the hook was added to.
    pub(crate) fn state<S: 'static>(&self) -> Result<&S, WsError> {
        self.any_state()
            .downcast_ref()
            .ok_or_else(|| WsError::internal(format!("the router's state is not a {}", std::any::type_name::<S>())))
    }
}

impl<D> fmt::Debug for ConnParts<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnParts").field("id", &self.conn.id).finish_non_exhaustive()
    }
}

/// A message and its connection as extractors see them.
pub struct MessageParts<D> {
    conn: ConnParts<D>,
    id: CallId,
    timestamp: Option<f64>,
    /// The whole frame, for types that declare keys of `meta`.
    frame: Option<Box<str>>,
}

impl<D: Send + Sync + 'static> MessageParts<D> {
    pub(crate) fn new(conn: ConnParts<D>, id: CallId, timestamp: Option<f64>, frame: Option<Box<str>>) -> Self {
        Self { conn, id, timestamp, frame }
    }

    /// The connection.
    #[must_use]
    pub fn conn_parts(&self) -> &ConnParts<D> {
        &self.conn
    }

    /// The message's type tag.
    #[must_use]
    pub fn message_type(&self) -> &'static str {
        self.id.message_type
    }

    /// The correlation id, if the message has one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.id.correlation_id()
    }

    /// When the client says that it sent the message, in milliseconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> Option<f64> {
        self.timestamp
    }

    pub(crate) fn extended_meta<T: MessageMeta>(&self) -> Result<T, WsError> {
        let frame = self.frame.as_deref().unwrap_or("{}");
        envelope::extended_meta_from_json(frame).map_err(|issues| WsError::invalid_payload(&issues))
    }
}

impl<D> fmt::Debug for MessageParts<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageParts").field("type", &self.id.message_type).finish_non_exhaustive()
    }
}
