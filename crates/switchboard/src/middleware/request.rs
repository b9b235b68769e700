//! What a middleware sees of a message.

use std::{any::TypeId, fmt, sync::Arc, time::Duration};

use http::Extensions;
use switchboard_core::{Message, WsError};

use super::WsReply;
use crate::{
    Conn, ConnParts,
    conn::{ConnInner, Replied},
    dispatch::{Route, Routed, Routing},
    extract::Timing,
    handler::HandlerResult,
    request::{AsCall as _, CallId, OwnedCall, ToCompletion},
    wire::encode,
};

/// A message on its way through the middleware to its handler. Its payload is not decoded yet.
///
/// It is what a [`tower::Service`] of a [`layer`](crate::WsRouter::layer) is called with.
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

    /// The message's type tag as it came: in a router that is
    /// [nested](crate::WsRouter::nest) with the prefix.
    ///
    /// A layer that is to know a message wherever its router is nested asks with [`is`](Self::is), or
    /// compares [`declared_type`](Self::declared_type).
    #[must_use]
    pub fn message_type(&self) -> &'static str {
        self.id().message_type
    }

    /// The type tag as the message declares it ([`Message::TYPE`]), whatever prefixes stand in front of
    /// it on the wire. Messages of different routers may declare the same.
    #[must_use]
    pub fn declared_type(&self) -> &'static str {
        self.route().declared_type
    }

    /// Whether the message is an `M`: whether that is what its handler takes. Nesting changes nothing.
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
    /// // `chat.LEAVE` passes the guard, too.
    /// let ws = WsRouter::new().nest("chat.", chat);
    /// # let _ = ws;
    /// ```
    #[must_use]
    pub fn is<M: Message>(&self) -> bool {
        self.route().message == TypeId::of::<M>()
    }

    /// Whether the message is a request, which is answered with exactly one reply or error.
    #[must_use]
    pub fn is_rpc(&self) -> bool {
        self.id().is_rpc
    }

    /// The correlation id, if the message has one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.id().correlation_id
    }

    /// The payload as JSON text, whatever the connection's codec; `None` without one.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        self.call.payload()
    }

    /// How long the message has waited to be handled.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.timing.waited()
    }

    /// The connection's data: what `authenticate` returned.
    #[must_use]
    pub fn data(&self) -> &D {
        &self.conn.data
    }

    /// A handle to the connection.
    #[must_use]
    pub fn conn(&self) -> Conn<D> {
        Conn::new(Arc::clone(&self.conn))
    }

    /// The connection as extractors see it: [`FromConnParts`](crate::FromConnParts) works here, too.
    #[must_use]
    pub fn conn_parts(&self) -> ConnParts<D> {
        let scope = self.route().scope.clone();
        ConnParts::new(Arc::clone(&self.conn), scope)
    }

    /// What middleware has put beside the message; a handler takes it with
    /// [`FromMiddleware`](crate::FromMiddleware).
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The same, to put something in.
    #[must_use]
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// A reply instead of the handler's: a response that is known already, for example.
    ///
    /// It is for whoever calls this that it is the response that the request's type declares.
    ///
    /// # Errors
    ///
    /// `INTERNAL` if the message is not valid or cannot be written.
    pub fn reply<M: Message<Meta = ()>>(&self, message: &M) -> Result<WsReply, WsError> {
        let validate = self.conn.config().validate_outbound;
        let frame = encode::correlated(message, self.correlation_id(), validate)?;
        Ok(WsReply(Replied::Frame(frame)))
    }

    pub(crate) fn inner(&self) -> &Arc<ConnInner<D>> {
        &self.conn
    }

    /// Comes to the handler itself.
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

impl<D> fmt::Debug for WsRequest<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsRequest").field("type", &self.call.as_call().message_type).finish_non_exhaustive()
    }
}
