//! The input of extractors.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use axum::Extension;
use http::Extensions;
use switchboard_core::{MessageMeta, WsError, envelope};
use tokio_util::sync::CancellationToken;

use crate::{
    Conn, ConnId, Hub,
    conn::ConnInner,
    extract::StateScope,
    request::{Completion, OwnedId, ToCompletion},
};

/// The connection, as extractors see it.
pub struct ConnParts<D> {
    conn: Arc<ConnInner<D>>,
    scope: Option<Arc<StateScope>>,
    /// Values inserted by middleware.
    extensions: Option<Box<Extensions>>,
}

impl<D: Send + Sync + 'static> ConnParts<D> {
    pub(crate) fn new(
        conn: Arc<ConnInner<D>>,
        scope: Option<Arc<StateScope>>,
        extensions: Option<Box<Extensions>>,
    ) -> Self {
        Self { conn, scope, extensions }
    }

    /// Returns the connection's id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.conn.id
    }

    /// Returns the connection's data: the value that `authenticate` returned.
    #[must_use]
    pub fn data(&self) -> &D {
        &self.conn.data
    }

    /// Returns a handle to the connection.
    #[must_use]
    pub fn conn(&self) -> Conn<D> {
        Conn::new(Arc::clone(&self.conn))
    }

    /// Returns the hub of the connection.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        self.conn.hub()
    }

    /// Returns a value that was kept with [`Setup::keep`](super::Setup::keep).
    ///
    /// # Errors
    ///
    /// `INTERNAL` if `T` was not kept.
    pub fn kept<T: 'static>(&self) -> Result<&T, WsError> {
        let scope = self.scope.as_ref().map_or(0, |scope| scope.id);
        self.conn.kept.get(scope).ok_or_else(|| {
            WsError::internal(format!("{} was not kept: call `Setup::keep` in `setup`", std::any::type_name::<T>()))
        })
    }

    /// Returns a value that middleware has inserted into the extensions of the message, else one that
    /// was kept from the upgrade with [`Setup::keep_extension`](super::Setup::keep_extension).
    #[must_use]
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        let inserted = self.extensions.as_ref().and_then(|extensions| extensions.get());
        inserted.or_else(|| self.kept::<Option<Extension<T>>>().ok()?.as_ref().map(|kept| &kept.0))
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

    /// The state of the router to which the handler or hook was added.
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

/// The message and its connection, as extractors see them.
pub struct MessageParts<D> {
    conn: ConnParts<D>,
    id: OwnedId,
    timestamp: Option<f64>,
    timing: Timing,
    optional: Option<Box<OptionalParts>>,
}

/// What only some handlers need; boxed, so that the others do not pay for it.
#[derive(Default)]
pub(crate) struct OptionalParts {
    /// The whole frame, if an extractor needs more than the decoded message.
    frame: Option<Box<str>>,
    /// Decides between the handler, its progress and the connection's task which reply is the last.
    terminal: Option<Arc<Completion>>,
    /// Signals spawned tasks that the request is over.
    cancellation: Option<CancellationToken>,
}

impl OptionalParts {
    #[inline]
    pub(crate) fn of(frame: Option<Box<str>>, to_completion: Option<&ToCompletion>) -> Option<Box<Self>> {
        let needed = frame.is_some() || to_completion.is_some();
        needed.then(|| Self::new(frame, to_completion))
    }

    #[cold]
    fn new(frame: Option<Box<str>>, to_completion: Option<&ToCompletion>) -> Box<Self> {
        let (terminal, cancellation) = match to_completion.cloned() {
            // A child: a middleware that drops one attempt and starts another must not cancel both.
            Some(ToCompletion { terminal, cancellation }) => (Some(terminal), Some(cancellation.child_token())),
            None => (None, None),
        };
        Box::new(Self { frame, terminal, cancellation })
    }
}

/// The waiting time and the remaining time of a message, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// How long it was queued before its handler started.
    waited: u32,
    /// How much of its time was left when its handler started.
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
        optional: Option<Box<OptionalParts>>,
    ) -> Self {
        Self { conn, id, timestamp, timing, optional }
    }

    pub(crate) fn left(&self) -> Duration {
        self.timing.left()
    }

    pub(crate) fn waited(&self) -> Duration {
        self.timing.waited()
    }

    pub(crate) fn terminal(&mut self) -> Arc<Completion> {
        Arc::clone(self.optional.get_or_insert_default().terminal.get_or_insert_default())
    }

    pub(crate) fn cancellation(&mut self) -> CancellationToken {
        self.optional.get_or_insert_default().cancellation.get_or_insert_default().clone()
    }

    /// Ends the request after its handler. Returns whether the handler's result may be sent.
    #[inline]
    pub(crate) fn end(&mut self) -> bool {
        let Some(optional) = &mut self.optional else { return true };
        optional.cancellation = None;
        optional.terminal.as_ref().is_none_or(|terminal| terminal.end())
    }

    fn frame(&self) -> Option<&str> {
        self.optional.as_ref().and_then(|optional| optional.frame.as_deref())
    }

    /// The payload's text, if the frame was kept.
    pub(crate) fn raw_payload(&self) -> Option<String> {
        envelope::raw_payload_of_json(self.frame()?)
    }

    /// Returns the connection.
    #[must_use]
    pub fn conn_parts(&self) -> &ConnParts<D> {
        &self.conn
    }

    /// Returns the message's type tag.
    #[must_use]
    pub fn message_type(&self) -> &'static str {
        self.id.id().message_type
    }

    /// Returns the correlation id, if the message has one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.id.id().correlation_id
    }

    /// Returns when the client claims to have sent the message, in milliseconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> Option<f64> {
        self.timestamp
    }

    pub(crate) fn extended_meta<T: MessageMeta>(&self) -> Result<T, WsError> {
        let frame = self.frame().unwrap_or("{}");
        envelope::extended_meta_from_json(frame).map_err(|issues| WsError::invalid_payload(&issues))
    }
}

/// Runs when the handler's future completes or is dropped.
impl Drop for OptionalParts {
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
