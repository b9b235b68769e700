//! Authentication: an async function of axum extractors.

use std::{future::Future, sync::Arc};

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use http::request::Parts;

use crate::handler::HandlerFn;

/// Marks a router without `authenticate`: any client may connect, and the connection's data is
/// `()`.
#[derive(Debug)]
pub enum Open {}

/// Marks a router with `authenticate`.
#[derive(Debug)]
pub enum Authenticated {}

/// Implemented by the markers of routers that produce connection data of type `D`.
#[diagnostic::on_unimplemented(
    message = "nothing produces the connection data `{D}`",
    label = "this router's handlers use `{D}`, but it has no `authenticate`",
    note = "add `.authenticate(async |…| Ok::<{D}, StatusCode>(…))` to the router, or use `Conn` without data"
)]
pub trait Produces<D>: 'static {
    /// Returns the data where there is no authentication.
    #[doc(hidden)]
    fn open_data() -> Option<D>;
}

/// A router that can be merged into another: one that does not authenticate.
#[diagnostic::on_unimplemented(
    message = "a router with `authenticate` cannot be merged into another",
    label = "this router authenticates its connections",
    note = "call `authenticate` on the router that is mounted, and leave it out of those that are merged"
)]
pub trait Mergeable: 'static {}

impl Mergeable for Open {}

impl Produces<()> for Open {
    fn open_data() -> Option<()> {
        Some(())
    }
}

impl<D> Produces<D> for Authenticated {
    fn open_data() -> Option<D> {
        None
    }
}

/// An async function of axum extractors that returns the data of a connection, or a refusal.
///
/// Sealed: implemented for functions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot authenticate connections with the data `{D}`",
    label = "not an authenticator",
    note = "it must be an async function of axum extractors (`FromRequestParts`) that returns \
            `Result<{D}, E>` where `E: IntoResponse`"
)]
pub trait Authenticator<S, D, Args, E>: Clone + Send + Sync + 'static {
    /// Runs the function.
    #[doc(hidden)]
    fn call<'a>(self, parts: &'a mut Parts, state: &'a S) -> BoxFuture<'a, Result<D, Response>>;
}

impl<F, S, D, Args, E, R> Authenticator<S, D, Args, E> for F
where
    F: HandlerFn<Args, Returned = R>,
    Args: FromRequestParts<S> + Send + 'static,
    R: Future<Output = Result<D, E>> + Send + 'static,
    E: IntoResponse,
    S: Send + Sync + 'static,
    D: Send + 'static,
{
    fn call<'a>(self, parts: &'a mut Parts, state: &'a S) -> BoxFuture<'a, Result<D, Response>> {
        Box::pin(async move {
            let args = Args::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
            self.invoke(args).await.map_err(IntoResponse::into_response)
        })
    }
}

/// An authenticator with its types erased.
pub(crate) type Authenticate<S, D> =
    Arc<dyn for<'a> Fn(&'a mut Parts, &'a S) -> BoxFuture<'a, Result<D, Response>> + Send + Sync>;

pub(crate) fn erase<F, S, D, Args, E>(authenticate: F) -> Authenticate<S, D>
where
    F: Authenticator<S, D, Args, E>,
{
    Arc::new(move |parts, state| authenticate.clone().call(parts, state))
}
