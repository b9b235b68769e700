//! One message and the route that it takes.

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

/// A message on its way from the envelope to its handler: first through the layers of its route, then
/// past earlier messages with its key of idempotency, then to the handler itself.
pub(crate) struct Routed<'a, D> {
    pub(crate) conn: &'a Arc<ConnInner<D>>,
    pub(crate) routing: &'a Arc<Routing<D>>,
    /// The index of the route.
    pub(crate) route: usize,
    pub(crate) call: Call<'a>,
    pub(crate) timing: Timing,
    /// Where the connection's task gives the handler up without dropping it.
    pub(crate) to_completion: Option<&'a ToCompletion>,
    /// What middleware has put beside the message.
    pub(crate) extensions: Option<Box<Extensions>>,
    /// Whether the reply is wanted by itself, rather than among what the turn puts out.
    pub(crate) apart: bool,
}

impl<D: Send + Sync + 'static> Routed<'_, D> {
    /// All the way.
    #[inline]
    pub(crate) fn run(self) -> BoxFuture<'static, HandlerResult> {
        let layers = &self.routing.table.get(self.route).layers;
        // Whatever lets a message on or not does so also for one that comes a second time.
        if layers.is_layered() { layers.run(&self) } else { self.run_below_layers() }
    }

    /// The rest of the way for what has come through the layers.
    #[inline]
    pub(crate) fn run_below_layers(self) -> BoxFuture<'static, HandlerResult> {
        match self.call.meta.idempotency_key() {
            Some(_) => idempotency::run(self),
            None => self.handle(),
        }
    }

    /// The last step.
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
