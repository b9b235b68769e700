//! Who connects: an async function of axum's extractors.

use std::{future::Future, sync::Arc};

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use http::request::Parts;

use crate::handler::HandlerFn;

/// A router without `authenticate`: everyone may connect, and the connection's data is `()`.
#[derive(Debug)]
pub enum Open {}

/// A router with `authenticate`.
#[derive(Debug)]
pub enum Authenticated {}

/// What makes the data of connections.
#[diagnostic::on_unimplemented(
    message = "nothing produces the connection data `{D}`",
    label = "this router's handlers use `{D}`, but it has no `authenticate`",
    note = "add `.authenticate(async |…| Ok::<{D}, StatusCode>(…))` to the router, or use `Conn` without data"
)]
pub trait Produces<D>: 'static {
    /// The data where there is no authentication.
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

/// An async function of axum's extractors that returns the data of a connection, or a refusal.
///
/// Sealed: implemented for functions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot authenticate connections with the data `{D}`",
    label = "not an authenticator",
    note = "it must be an async function of axum extractors (of the parts, not the body) that returns \
            `Result<{D}, E>` where `E: IntoResponse`"
)]
pub trait Authenticator<S, D, Args, E>: Clone + Send + Sync + 'static {
    /// Runs it.
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
