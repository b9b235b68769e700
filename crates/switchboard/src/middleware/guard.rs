//! Permission checks.

use std::{
    fmt,
    task::{Context, Poll},
};

use switchboard_core::WsError;
use tower::{Layer, Service};

use super::{CheckedFuture, WsReply, WsRequest};

/// The result of a guard's check: `true` and `Ok` pass the message on, `false` is
/// `PERMISSION_DENIED`.
///
/// This trait is sealed and implemented for `bool` and `Result<(), E>` with `E: Into<WsError>`.
pub trait Verdict: sealed::Sealed {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), WsError>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for bool {}
    impl<E> Sealed for Result<(), E> {}
}

impl Verdict for bool {
    fn into_result(self) -> Result<(), WsError> {
        if self { Ok(()) } else { Err(WsError::permission_denied("you are not allowed to do this")) }
    }
}

impl<E: Into<WsError>> Verdict for Result<(), E> {
    fn into_result(self) -> Result<(), WsError> {
        self.map_err(Into::into)
    }
}

/// Creates a layer that passes only messages that a check allows.
///
/// ```
/// use axum::http::StatusCode;
/// use switchboard::{RouteOptions, WsError, WsRequest, WsRouter, middleware, ws_message};
///
/// struct User {
///     is_admin: bool,
/// }
///
/// #[ws_message("ANNOUNCE")]
/// struct Announce {
///     text: String,
/// }
///
/// async fn announce(_: Announce) {}
///
/// let admins = middleware::guard(|request: &WsRequest<User>| {
///     if request.data().is_admin { Ok(()) } else { Err(WsError::permission_denied("Admin access required")) }
/// });
/// let ws = WsRouter::<(), User>::new()
///     .on_with(announce, RouteOptions::new().layer(admins))
///     .authenticate(async || Ok::<_, StatusCode>(User { is_admin: false }));
/// # let _ = ws;
/// ```
pub fn guard<D, F, V>(check: F) -> GuardLayer<F>
where
    F: Fn(&WsRequest<D>) -> V + Clone + Send + Sync + 'static,
    V: Verdict,
{
    GuardLayer { check }
}

/// The layer created by [`guard`].
#[derive(Clone, Copy)]
#[must_use]
pub struct GuardLayer<F> {
    check: F,
}

impl<F: Clone, S> Layer<S> for GuardLayer<F> {
    type Service = Guard<F, S>;

    fn layer(&self, inner: S) -> Guard<F, S> {
        Guard { check: self.check.clone(), inner }
    }
}

impl<F> fmt::Debug for GuardLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardLayer").field("check", &std::any::type_name::<F>()).finish()
    }
}

/// The service of [`guard`].
#[derive(Clone)]
pub struct Guard<F, S> {
    check: F,
    inner: S,
}

impl<F, S, D, V> Service<WsRequest<D>> for Guard<F, S>
where
    F: Fn(&WsRequest<D>) -> V,
    V: Verdict,
    S: Service<WsRequest<D>, Response = WsReply>,
    S::Error: From<WsError>,
{
    type Response = WsReply;
    type Error = S::Error;
    type Future = CheckedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: WsRequest<D>) -> CheckedFuture<S::Future> {
        match (self.check)(&request).into_result() {
            Ok(()) => CheckedFuture::passed(self.inner.call(request)),
            Err(error) => CheckedFuture::refused(error),
        }
    }
}

impl<F, S> fmt::Debug for Guard<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("check", &std::any::type_name::<F>()).finish_non_exhaustive()
    }
}
