//! Middleware from an async function.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use switchboard_core::{BoxError, WsError};
use tower::{Layer, Service};

use super::{Route, RouteFuture, WsReply, WsRequest};

/// Creates a layer from an async function.
///
/// The function gets the message and [`Next`]. It may inspect the message, insert values for the
/// handler, and run code before and after the handler; to refuse the message, it returns an error.
///
/// ```
/// use std::time::Instant;
///
/// use switchboard::{WsRouter, middleware, ws_message};
///
/// #[ws_message("PING")]
/// struct Ping;
///
/// async fn ping(_: Ping) {}
///
/// let ws = WsRouter::<()>::new().on(ping).layer(middleware::from_fn(async |request, next| {
///     let (message_type, since) = (request.message_type(), Instant::now());
///     let reply = next.run(request).await;
///     println!("{message_type} took {:?}", since.elapsed());
///     reply
/// }));
/// # let _ = ws;
/// ```
pub fn from_fn<D, F, R>(function: F) -> FromFnLayer<F, D>
where
    D: Send + Sync + 'static,
    F: FnOnce(WsRequest<D>, Next<D>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<WsReply, WsError>> + Send + 'static,
{
    FromFnLayer { function, data: PhantomData }
}

/// The layer created by [`from_fn`].
#[must_use]
pub struct FromFnLayer<F, D> {
    function: F,
    data: PhantomData<fn(D)>,
}

impl<F: Clone, D> Clone for FromFnLayer<F, D> {
    fn clone(&self) -> Self {
        Self { function: self.function.clone(), data: PhantomData }
    }
}

impl<F, D, S> Layer<S> for FromFnLayer<F, D>
where
    F: Clone,
    D: Send + Sync + 'static,
    S: Service<WsRequest<D>, Response = WsReply> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Service = FromFn<F, D>;

    fn layer(&self, inner: S) -> FromFn<F, D> {
        FromFn { function: self.function.clone(), inner: Route::of(inner) }
    }
}

impl<F, D> fmt::Debug for FromFnLayer<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFnLayer").field("function", &std::any::type_name::<F>()).finish_non_exhaustive()
    }
}

/// The service of [`from_fn`].
pub struct FromFn<F, D> {
    function: F,
    inner: Route<D>,
}

impl<F: Clone, D> Clone for FromFn<F, D> {
    fn clone(&self) -> Self {
        Self { function: self.function.clone(), inner: self.inner.clone() }
    }
}

impl<F, D, R> Service<WsRequest<D>> for FromFn<F, D>
where
    D: Send + Sync + 'static,
    F: FnOnce(WsRequest<D>, Next<D>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<WsReply, WsError>> + Send + 'static,
{
    type Response = WsReply;
    type Error = WsError;
    type Future = BoxFuture<'static, Result<WsReply, WsError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: WsRequest<D>) -> Self::Future {
        let function = self.function.clone();
        Box::pin(function(request, Next { inner: self.inner.clone() }))
    }
}

impl<F, D> fmt::Debug for FromFn<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").field("function", &std::any::type_name::<F>()).finish_non_exhaustive()
    }
}

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
    /// Passes the message on, and returns the reply.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the handler is dropped at its current `.await`.
    pub fn run(mut self, request: WsRequest<D>) -> RouteFuture {
        self.inner.call(request)
    }
}
