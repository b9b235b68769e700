//! What extractors are made from.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use http::Extensions;
use switchboard_core::{MessageMeta, WsError, envelope};
use tokio_util::sync::CancellationToken;

use crate::{
    Conn, ConnId, Hub,
    conn::ConnInner,
    extract::StateScope,
    request::{Completion, OwnedId, ToCompletion},
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
    id: OwnedId,
    timestamp: Option<f64>,
    timing: Timing,
    special: Option<Box<Special>>,
}

/// What few handlers need.
#[derive(Default)]
pub(crate) struct Special {
    /// The whole frame, where something needs more of it than the message.
    frame: Option<Box<str>>,
    /// Where somebody else may want to say something about the request, too.
    terminal: Option<Arc<Completion>>,
    /// Where something that was spawned is to learn that the request is over.
    cancellation: Option<CancellationToken>,
    /// What middleware has put beside the message.
    extensions: Option<Box<Extensions>>,
}

impl Special {
    #[inline]
    pub(crate) fn of(
        frame: Option<Box<str>>,
        to_completion: Option<&ToCompletion>,
        extensions: Option<Box<Extensions>>,
    ) -> Option<Box<Self>> {
        let needed = frame.is_some() || to_completion.is_some() || extensions.is_some();
        needed.then(|| Self::new(frame, to_completion, extensions))
    }

    #[cold]
    fn new(
        frame: Option<Box<str>>,
        to_completion: Option<&ToCompletion>,
        extensions: Option<Box<Extensions>>,
    ) -> Box<Self> {
        let (terminal, cancellation) = match to_completion.cloned() {
            Some(ToCompletion { terminal, cancellation }) => (Some(terminal), Some(cancellation)),
            None => (None, None),
        };
        Box::new(Self { frame, terminal, cancellation, extensions })
    }
}

/// How a message stands in time, in milliseconds: every message has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// How long it has waited to be handled.
    waited: u32,
    /// What was left of its time when it began to be.
    left: u32,
}

impl Timing {
    pub(crate) fn new(waited: Duration, left: Duration) -> Self {
        let millis = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        Self { waited: millis(waited), left: millis(left) }
    }

    pub(crate) fn left(self) -> Duration {
        Duration::from_millis(self.left.into())
    }

    pub(crate) fn waited(self) -> Duration {
        Duration::from_millis(self.waited.into())
    }
}

impl<D: Send + Sync + 'static> MessageParts<D> {
    #[inline]
    pub(crate) fn new(
        conn: ConnParts<D>,
        id: OwnedId,
        timestamp: Option<f64>,
        timing: Timing,
        special: Option<Box<Special>>,
    ) -> Self {
        Self { conn, id, timestamp, timing, special }
    }

    pub(crate) fn left(&self) -> Duration {
        self.timing.left()
    }

    pub(crate) fn waited(&self) -> Duration {
        self.timing.waited()
    }

    pub(crate) fn terminal(&mut self) -> Arc<Completion> {
        Arc::clone(self.special.get_or_insert_default().terminal.get_or_insert_default())
    }

    pub(crate) fn cancellation(&mut self) -> CancellationToken {
        self.special.get_or_insert_default().cancellation.get_or_insert_default().clone()
    }

    /// The handler has come to its end: whether its result is the last word.
    #[inline]
    pub(crate) fn end(&mut self) -> bool {
        let Some(special) = &mut self.special else { return true };
        special.cancellation = None;
        special.terminal.as_ref().is_none_or(|terminal| terminal.end())
    }

    fn frame(&self) -> Option<&str> {
        self.special.as_ref().and_then(|special| special.frame.as_deref())
    }

    /// The payload's text, where it is kept.
    pub(crate) fn raw_payload(&self) -> Option<String> {
        envelope::raw_payload_of_json(self.frame()?)
    }

    /// A value that middleware has put beside the message.
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.special.as_ref()?.extensions.as_ref()?.get()
    }

    /// The connection.
    #[must_use]
    pub fn conn_parts(&self) -> &ConnParts<D> {
        &self.conn
    }

    /// The message's type tag.
    #[must_use]
    pub fn message_type(&self) -> &'static str {
        self.id.id().message_type
    }

    /// The correlation id, if the message has one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.id.id().correlation_id
    }

    /// When the client says that it sent the message, in milliseconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> Option<f64> {
        self.timestamp
    }

    pub(crate) fn extended_meta<T: MessageMeta>(&self) -> Result<T, WsError> {
        let frame = self.frame().unwrap_or("{}");
        envelope::extended_meta_from_json(frame).map_err(|issues| WsError::invalid_payload(&issues))
    }
}

/// The handler's future holds it: that is done, or it was dropped.
impl Drop for Special {
    fn drop(&mut self) {
        if let Some(terminal) = &self.terminal {
            terminal.end();
        }
        if let Some(cancellation) = &self.cancellation {
            cancellation.cancel();
        }
    }
}

impl<D> fmt::Debug for MessageParts<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageParts").field("type", &self.id.id().message_type).finish_non_exhaustive()
    }
}
