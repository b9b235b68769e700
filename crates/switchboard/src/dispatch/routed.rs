//! A message and its route.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Extensions;

use super::{Routing, idempotency};
use crate::{
    conn::ConnInner,
    extract::Timing,
    handler::{HandlerResult, Incoming},
    request::{Call, ToCompletion},
};

/// A message between its envelope and its handler. It passes the layers of its route, then the
/// results of its idempotency key, then reaches the handler.
pub(crate) struct Routed<'a, D> {
    pub(crate) conn: &'a Arc<ConnInner<D>>,
    pub(crate) routing: &'a Arc<Routing<D>>,
    /// The index of the route.
    pub(crate) route: usize,
    pub(crate) call: Call<'a>,
    pub(crate) timing: Timing,
    /// Shared with the connection's task if the handler runs to completion.
    pub(crate) to_completion: Option<&'a ToCompletion>,
    /// Values inserted by middleware.
    pub(crate) extensions: Option<Box<Extensions>>,
    /// Whether the reply is returned as a frame of its own, instead of written into the turn's buffer.
    pub(crate) apart: bool,
}

impl<D: Send + Sync + 'static> Routed<'_, D> {
    /// Runs layers, idempotency and handler.
    #[inline]
    pub(crate) fn run(self) -> BoxFuture<'static, HandlerResult> {
        let layers = &self.routing.table.get(self.route).layers;
        // Layers come before idempotency, so that permissions and limits apply to retries as well.
        if layers.is_layered() { layers.run(&self) } else { self.run_below_layers() }
    }

    /// Runs idempotency and handler: after the layers.
    #[inline]
    pub(crate) fn run_below_layers(self) -> BoxFuture<'static, HandlerResult> {
        match self.call.meta.idempotency_key() {
            Some(_) => idempotency::run(self),
            None => self.handle(),
        }
    }

    /// Runs the handler.
    #[inline]
    pub(crate) fn handle(self) -> BoxFuture<'static, HandlerResult> {
        let Self { conn, routing, route, call, timing, to_completion, extensions, apart } = self;
        let route = routing.table.get(route);
        let scope = route.scope.as_ref();
        (route.handler)(Incoming {
            conn,
            scope,
            keeps_frame: route.keeps_frame,
            call,
            timing,
            to_completion,
            extensions,
            apart,
        })
    }
}
