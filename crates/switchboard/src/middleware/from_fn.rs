//! Middleware from an async function.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use switchboard_core::{BoxError, WsError};
use tower::{Layer, Service};

use super::{Middleware, Next, Route, WsReply, WsRequest};
use crate::extract::{Setup, StateScope, add_steps_of_layer};

/// Creates a layer from an async function.
///
/// Its arguments are up to seven [extractors](crate::extract) that need no message, the
/// [`WsRequest`], and [`Next`]. It may inspect the message, insert values for the handler, and run code
/// before and after the handler; to refuse the message, it returns an error. For
/// [`State`](axum::extract::State), use [`from_fn_with_state`].
///
/// ```
/// use std::time::Instant;
///
/// use axum::Extension;
/// use switchboard::{WsError, WsReply, WsRequest, WsRouter, middleware::{self, Next}, ws_message};
///
/// #[derive(Clone)]
/// struct Tenant(String);
///
/// #[ws_message("PING")]
/// struct Ping;
///
/// async fn ping(_: Ping) {}
///
/// async fn time(
///     Extension(tenant): Extension<Tenant>,
///     request: WsRequest<()>,
///     next: Next<()>,
/// ) -> Result<WsReply, WsError> {
///     let (message_type, since) = (request.message_type(), Instant::now());
///     let reply = next.run(request).await;
///     println!("{message_type} of {} took {:?}", tenant.0, since.elapsed());
///     reply
/// }
///
/// let ws = WsRouter::<()>::new().on(ping).layer(middleware::from_fn(time));
/// let app: axum::Router = axum::Router::new()
///     .route("/ws", switchboard::ws_route(ws))
///     .layer(Extension(Tenant("acme".into())));
/// # let _ = app;
/// ```
///
/// The arguments of a closure need their types:
///
/// ```
/// # use switchboard::{WsRequest, WsRouter, middleware::{self, Next}};
/// let logged = middleware::from_fn(async |request: WsRequest<()>, next: Next<()>| {
///     println!("{}", request.message_type());
///     next.run(request).await
/// });
/// # let _ = WsRouter::<()>::new().layer(logged);
/// ```
pub fn from_fn<F, X, D>(function: F) -> FromFnLayer<(), D>
where
    F: Middleware<X, (), D>,
    D: Send + Sync + 'static,
{
    from_fn_with_state((), function)
}

/// Creates a layer from an async function that takes `State`, like [`from_fn`].
///
/// ```
/// use axum::extract::State;
/// use switchboard::{WsError, WsReply, WsRequest, WsRouter, middleware::{self, Next}, ws_message};
///
/// #[derive(Clone)]
/// struct App {
///     is_open: bool,
/// }
///
/// #[ws_message("BUY")]
/// struct Buy {
///     item: String,
/// }
///
/// async fn buy(_: Buy) {}
///
/// async fn opening_hours(
///     State(app): State<App>,
///     request: WsRequest<()>,
///     next: Next<()>,
/// ) -> Result<WsReply, WsError> {
///     if app.is_open { next.run(request).await } else { Err(WsError::failed_precondition("closed")) }
/// }
///
/// let app = App { is_open: true };
/// let ws = WsRouter::new().on(buy).layer(middleware::from_fn_with_state(app.clone(), opening_hours));
/// let router: axum::Router = axum::Router::new().route("/ws", switchboard::ws_route(ws)).with_state(app);
/// # let _ = router;
/// ```
pub fn from_fn_with_state<F, S, X, D>(state: S, function: F) -> FromFnLayer<S, D>
where
    F: Middleware<X, S, D>,
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    let state = Arc::new(state);
    FromFnLayer {
        function: Arc::new(move |scope, request, next| function.clone().call(scope, request, next)),
        setup: F::setup,
        scope: StateScope::new(Arc::clone(&state) as _),
        state,
    }
}

type Erased<D> =
    dyn Fn(Arc<StateScope>, WsRequest<D>, Next<D>) -> BoxFuture<'static, Result<WsReply, WsError>> + Send + Sync;

/// The layer created by [`from_fn`] and [`from_fn_with_state`].
#[must_use]
pub struct FromFnLayer<S, D> {
    function: Arc<Erased<D>>,
    /// Collects what the arguments need from the upgrade.
    setup: fn(&mut Setup<S>),
    state: Arc<S>,
    /// The same state, with which extracted values are found again.
    scope: Arc<StateScope>,
}

impl<S, D> Clone for FromFnLayer<S, D> {
    fn clone(&self) -> Self {
        let (function, state) = (Arc::clone(&self.function), Arc::clone(&self.state));
        Self { function, setup: self.setup, state, scope: Arc::clone(&self.scope) }
    }
}

impl<S, D, I> Layer<I> for FromFnLayer<S, D>
where
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
    I: Service<WsRequest<D>, Response = WsReply> + Clone + Send + Sync + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send + 'static,
{
    type Service = FromFn<D>;

    fn layer(&self, inner: I) -> FromFn<D> {
        let mut setup = Setup::new();
        (self.setup)(&mut setup);
        add_steps_of_layer(setup, self.scope.id, &self.state);
        let (function, scope) = (Arc::clone(&self.function), Arc::clone(&self.scope));
        FromFn { function, scope, inner: Route::of(inner) }
    }
}

impl<S, D> fmt::Debug for FromFnLayer<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFnLayer").finish_non_exhaustive()
    }
}

/// The service of [`from_fn`] and [`from_fn_with_state`].
pub struct FromFn<D> {
    function: Arc<Erased<D>>,
    scope: Arc<StateScope>,
    inner: Route<D>,
}

impl<D> Clone for FromFn<D> {
    fn clone(&self) -> Self {
        Self { function: Arc::clone(&self.function), scope: Arc::clone(&self.scope), inner: self.inner.clone() }
    }
}

impl<D: Send + Sync + 'static> Service<WsRequest<D>> for FromFn<D> {
    type Response = WsReply;
    type Error = WsError;
    type Future = BoxFuture<'static, Result<WsReply, WsError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: WsRequest<D>) -> Self::Future {
        (self.function)(Arc::clone(&self.scope), request, Next::new(self.inner.clone()))
    }
}

impl<D> fmt::Debug for FromFn<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}
