//! axum's extractors in handlers and hooks.

use std::{any::type_name, convert::Infallible, ops::Deref};

use axum::{
    Extension,
    extract::{FromRef, FromRequestParts, Path, Query, State},
};
use switchboard_core::WsError;

use super::{ConnParts, FromConnParts, Setup};

/// The application's state, or a part of it.
impl<S, D, T> FromConnParts<S, D> for State<T>
where
    S: Send + Sync,
    D: Send + Sync + 'static,
    T: FromRef<S> + Send,
{
    type Rejection = Infallible;

    async fn from_conn_parts(_: &ConnParts<D>, state: &S) -> Result<Self, Infallible> {
        Ok(Self(T::from_ref(state)))
    }
}

/// Runs an axum extractor once, at the upgrade; the value is kept for the connection's lifetime.
///
/// A kept `HeaderMap`, `Uri` or `Bytes` keeps the whole buffer of the request allocated. To save
/// memory, copy what you need in an extractor of your own.
///
/// ```
/// use axum::http::Uri;
/// use switchboard::{Conn, FromUpgrade, WsRouter};
///
/// async fn opened(_: Conn, FromUpgrade(uri): FromUpgrade<Uri>) {
///     println!("{uri}");
/// }
/// let router = WsRouter::<()>::new().on_open(opened);
/// # let _ = router;
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FromUpgrade<T>(pub T);

impl<T> Deref for FromUpgrade<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<S, D, T> FromConnParts<S, D> for FromUpgrade<T>
where
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
    T: FromRequestParts<S> + Clone + Send + Sync + 'static,
{
    type Rejection = WsError;

    async fn from_conn_parts(parts: &ConnParts<D>, _: &S) -> Result<Self, WsError> {
        parts.kept::<T>().map(|value| Self(value.clone()))
    }

    fn setup(setup: &mut Setup<S>) {
        setup.keep::<T>();
    }
}

/// For extractors that are not `Clone` themselves, but whose value is.
macro_rules! kept {
    ($($wrapper:ident: $doc:literal;)*) => {$(
        #[doc = $doc]
        impl<S, D, T> FromConnParts<S, D> for $wrapper<T>
        where
            S: Send + Sync + 'static,
            D: Send + Sync + 'static,
            $wrapper<T>: FromRequestParts<S>,
            T: Clone + Send + Sync + 'static,
        {
            type Rejection = WsError;

            async fn from_conn_parts(parts: &ConnParts<D>, _: &S) -> Result<Self, WsError> {
                parts.kept::<Self>().map(|kept| Self(kept.0.clone()))
            }

            fn setup(setup: &mut Setup<S>) {
                setup.keep::<Self>();
            }
        }
    )*};
}

kept! {
    Path: "Path parameters of the upgrade request. On a route without them the upgrade is refused; use `Option<Path<T>>`.";
    Query: "Query parameters of the upgrade request.";
}

macro_rules! kept_option {
    ($($wrapper:ident)*) => {$(
        impl<S, D, T> FromConnParts<S, D> for Option<$wrapper<T>>
        where
            S: Send + Sync + 'static,
            D: Send + Sync + 'static,
            Option<$wrapper<T>>: FromRequestParts<S>,
            T: Clone + Send + Sync + 'static,
        {
            type Rejection = WsError;

            async fn from_conn_parts(parts: &ConnParts<D>, _: &S) -> Result<Self, WsError> {
                parts.kept::<Self>().map(|kept| kept.as_ref().map(|value| $wrapper(value.0.clone())))
            }

            fn setup(setup: &mut Setup<S>) {
                setup.keep::<Self>();
            }
        }
    )*};
}

kept_option! { Path }

/// A value that a [middleware](crate::middleware) has inserted into the message's
/// [extensions](crate::WsRequest::extensions_mut), else the extension of the upgrade request.
///
/// If there is neither, the client gets `INTERNAL`. For hooks, and for handlers without layers, only
/// the upgrade request can provide the value: without it, the upgrade is refused with 500 instead, and
/// the log names the handler. Use `Option<Extension<T>>` if the value is optional.
///
/// ```
/// use axum::Extension;
/// use switchboard::{WsRequest, WsRouter, middleware::{self, Next}, ws_message};
///
/// #[derive(Clone)]
/// struct Tenant(String);
///
/// #[ws_message("PING")]
/// struct Ping;
///
/// async fn ping(Extension(tenant): Extension<Tenant>, _: Ping) {
///     println!("{}", tenant.0);
/// }
///
/// let ws = WsRouter::<()>::new().on(ping).layer(middleware::from_fn(
///     async |mut request: WsRequest<()>, next: Next<()>| {
///         let tenant = request.conn().remote_addr().map(|addr| addr.ip().to_string());
///         request.extensions_mut().insert(Tenant(tenant.unwrap_or_default()));
///         next.run(request).await
///     },
/// ));
/// # let _ = ws;
/// ```
impl<S, D, T> FromConnParts<S, D> for Extension<T>
where
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    type Rejection = WsError;

    async fn from_conn_parts(parts: &ConnParts<D>, _: &S) -> Result<Self, WsError> {
        parts.extension().cloned().map(Self).ok_or_else(|| {
            let name = type_name::<T>();
            WsError::internal(format!(
                "there is no `Extension<{name}>`: no middleware inserted one into the extensions of the message, \
                 and no layer of the axum router into those of the upgrade request"
            ))
        })
    }

    fn setup(setup: &mut Setup<S>) {
        setup.keep_extension::<T>();
        setup.require_extension::<T>();
    }
}

impl<S, D, T> FromConnParts<S, D> for Option<Extension<T>>
where
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    type Rejection = Infallible;

    async fn from_conn_parts(parts: &ConnParts<D>, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extension().cloned().map(Extension))
    }

    fn setup(setup: &mut Setup<S>) {
        setup.keep_extension::<T>();
    }
}
