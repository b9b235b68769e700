//! Messages in middleware.

use std::{any::TypeId, fmt, sync::Arc, time::Duration};

use http::Extensions;
use switchboard_core::{Message, WsError};

use super::WsReply;
use crate::{
    Conn, ConnParts,
    conn::{ConnInner, Replied},
    dispatch::{Route, Routed, Routing},
    extract::{StateScope, Timing},
    handler::HandlerResult,
    request::{AsCall as _, CallId, OwnedCall, ToCompletion},
    wire::encode,
};

/// A message on its way through the middleware to its handler: the request of a [`tower::Service`] in
/// a [`layer`](crate::WsRouter::layer). Its payload is not decoded yet.
pub struct WsRequest<D> {
    conn: Arc<ConnInner<D>>,
    routing: Arc<Routing<D>>,
    route: usize,
    call: OwnedCall,
    timing: Timing,
    to_completion: Option<ToCompletion>,
    extensions: Extensions,
}

impl<D: Send + Sync + 'static> WsRequest<D> {
    pub(crate) fn new(routed: &Routed<'_, D>) -> Self {
        Self {
            conn: Arc::clone(routed.conn),
            routing: Arc::clone(routed.routing),
            route: routed.route,
            call: routed.call.keep(),
            timing: routed.timing,
            to_completion: routed.to_completion.cloned(),
            extensions: Extensions::new(),
        }
    }

    fn id(&self) -> CallId<'_> {
        self.call.as_call().id()
    }

    fn route(&self) -> &Route<D> {
        self.routing.table.get(self.route)
    }

    /// Returns the message's type tag on the wire, with the prefix if the router is
    /// [nested](crate::WsRouter::nest).
    ///
    /// To recognise a message independently of nesting, use [`is`](Self::is) or
    /// [`declared_type`](Self::declared_type).
    #[must_use]
    pub fn message_type(&self) -> &'static str {
        self.id().message_type
    }

    /// Returns the type tag that the message declares ([`Message::TYPE`]), without the prefix of a nested
    /// router. Messages of different routers may declare the same tag.
    #[must_use]
    pub fn declared_type(&self) -> &'static str {
        self.route().declared_type
    }

    /// Returns whether the message is an `M`, also in a nested router.
    ///
    /// ```
    /// use switchboard::{WsRequest, WsRouter, middleware::guard, ws_message};
    ///
    /// #[ws_message("SAY")]
    /// struct Say {
    ///     text: String,
    /// }
    ///
    /// #[ws_message("LEAVE")]
    /// struct Leave;
    ///
    /// struct User {
    ///     is_muted: bool,
    /// }
    ///
    /// async fn say(_: Say) {}
    /// async fn leave(_: Leave) {}
    ///
    /// let muted = guard(|request: &WsRequest<User>| !request.data().is_muted || request.is::<Leave>());
    /// let chat = WsRouter::<(), User>::new().on(say).on(leave).layer(muted);
    /// // `chat.LEAVE` passes the guard.
    /// let ws = WsRouter::new().nest("chat.", chat);
    /// # let _ = ws;
    /// ```
    #[must_use]
    pub fn is<M: Message>(&self) -> bool {
        self.route().message == TypeId::of::<M>()
    }

    /// Returns whether the message is a request, which gets exactly one reply or error.
    #[must_use]
    pub fn is_rpc(&self) -> bool {
        self.id().is_rpc
    }

    /// Returns the correlation id, if the message has one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.id().correlation_id
    }

    /// Returns the payload as JSON text, if the message has one. MessagePack payloads are converted.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        self.call.payload()
    }

    /// Returns how long the message was queued before it was handled.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.timing.waited()
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

    /// Returns the connection as extractors see it, to call [`FromConnParts`](crate::FromConnParts).
    #[must_use]
    pub fn conn_parts(&self) -> ConnParts<D> {
        self.parts_of(self.route().scope.clone())
    }

    /// The connection with another router state, and the extensions inserted so far.
    pub(super) fn parts_of(&self, scope: Option<Arc<StateScope>>) -> ConnParts<D> {
        let extensions = (!self.extensions.is_empty()).then(|| Box::new(self.extensions.clone()));
        ConnParts::new(Arc::clone(&self.conn), scope, extensions)
    }

    /// Returns the values inserted by middleware. Handlers and inner middleware take one with
    /// [`Extension`](axum::Extension).
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Returns the values inserted by middleware, to insert one.
    #[must_use]
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Creates a reply in place of the handler's, such as a cached response.
    ///
    /// The type is not checked: for a request, pass the response that it declares.
    ///
    /// # Errors
    ///
    /// `INTERNAL` if the message is invalid or does not serialise.
    pub fn reply<M: Message<Meta = ()>>(&self, message: &M) -> Result<WsReply, WsError> {
        let validate = self.conn.config().validate_outbound;
        let frame = encode::correlated(message, self.correlation_id(), validate)?;
        Ok(WsReply(Replied::Frame(frame)))
    }

    pub(crate) fn inner(&self) -> &Arc<ConnInner<D>> {
        &self.conn
    }

    /// Calls the handler.
    pub(super) fn handle(self) -> futures_util::future::BoxFuture<'static, HandlerResult> {
        let Self { conn, routing, route, call, timing, to_completion, extensions } = self;
        let routed = Routed {
            conn: &conn,
            routing: &routing,
            route,
            call: call.as_call(),
            timing,
            to_completion: to_completion.as_ref(),
            extensions: (!extensions.is_empty()).then(|| Box::new(extensions)),
            apart: true,
        };
        routed.run_below_layers()
    }
}

/// Copies the message. For middleware that runs [`Next`](super::Next) several times.
impl<D> Clone for WsRequest<D> {
    fn clone(&self) -> Self {
        Self {
            conn: Arc::clone(&self.conn),
            routing: Arc::clone(&self.routing),
            route: self.route,
            call: self.call.as_call().keep(),
            timing: self.timing,
            to_completion: self.to_completion.clone(),
            extensions: self.extensions.clone(),
        }
    }
}

impl<D> fmt::Debug for WsRequest<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsRequest").field("type", &self.call.as_call().message_type).finish_non_exhaustive()
    }
}
