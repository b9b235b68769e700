//! Which layers can wrap handlers.

use switchboard_core::BoxError;
use tower::{Layer, Service};

use super::{Route, WsReply, WsRequest};

/// A [`tower::Layer`] for messages of connections with the data `D`.
///
/// This trait is sealed. It is implemented for every layer around a [`Route`] whose service
///
/// - takes a [`WsRequest`] and returns a [`WsReply`],
/// - has an error that converts into a `BoxError`,
/// - is `Clone + Send + Sync + 'static`, and has a `Send` future.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a layer of messages",
    label = "not a layer for connections with the data `{D}`",
    note = "a layer is a `tower::Layer` whose service takes a `WsRequest<{D}>`, gives a `WsReply`, and is `Clone + Send + Sync`",
    note = "`switchboard::middleware::from_fn` makes one of an async function; `tower`'s `RateLimit` is not `Clone`: use `RateLimitLayer`"
)]
pub trait MessageLayer<D>: sealed::Sealed<D> {
    #[doc(hidden)]
    fn around(&self, route: Route<D>) -> Route<D>;
}

mod sealed {
    pub trait Sealed<D> {}
}

impl<L, D> sealed::Sealed<D> for L
where
    D: Send + Sync + 'static,
    L: Layer<Route<D>>,
    L::Service: Service<WsRequest<D>, Response = WsReply> + Clone + Send + Sync + 'static,
    <L::Service as Service<WsRequest<D>>>::Error: Into<BoxError>,
    <L::Service as Service<WsRequest<D>>>::Future: Send + 'static,
{
}

#[diagnostic::do_not_recommend]
impl<L, D> MessageLayer<D> for L
where
    D: Send + Sync + 'static,
    L: Layer<Route<D>>,
    L::Service: Service<WsRequest<D>, Response = WsReply> + Clone + Send + Sync + 'static,
    <L::Service as Service<WsRequest<D>>>::Error: Into<BoxError>,
    <L::Service as Service<WsRequest<D>>>::Future: Send + 'static,
{
    fn around(&self, route: Route<D>) -> Route<D> {
        Route::of(self.layer(route))
    }
}
