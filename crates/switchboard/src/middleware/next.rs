//! The rest of the way of a message.

use tower::Service as _;

use super::{Route, RouteFuture, WsRequest};

/// The inner layers of a middleware, and the handler.
///
/// A middleware may run it several times, by cloning it and the request. With an idempotency key, an
/// attempt that fails with an error that is not retryable, or succeeds, is remembered: further
/// attempts get its result. On routes that
/// [run to completion](crate::RouteOptions::run_to_completion), only the first attempt can send
/// [`Progress`](crate::Progress).
///
/// ```
/// use switchboard::{ErrorCode, WsRequest, WsRouter, middleware::{self, Next}, ws_message, ws_rpc};
///
/// #[ws_message("BOOKED")]
/// struct Booked;
///
/// #[ws_rpc("BOOK", response = Booked)]
/// struct Book {
///     seat: u32,
/// }
///
/// async fn book(_: Book) -> Booked {
///     Booked
/// }
///
/// let retry = middleware::from_fn(async |request: WsRequest<()>, next: Next<()>| {
///     match next.clone().run(request.clone()).await {
///         Err(error) if *error.code() == ErrorCode::Aborted => next.run(request).await,
///         result => result,
///     }
/// });
/// let ws = WsRouter::<()>::new().on(book).layer(retry);
/// # let _ = ws;
/// ```
#[derive(Debug)]
pub struct Next<D> {
    inner: Route<D>,
}

impl<D> Clone for Next<D> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<D: Send + Sync + 'static> Next<D> {
    pub(super) fn new(inner: Route<D>) -> Self {
        Self { inner }
    }

    /// Passes the message on, and returns the reply.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the handler is dropped at its current `.await`.
    pub fn run(mut self, request: WsRequest<D>) -> RouteFuture {
        self.inner.call(request)
    }
}
