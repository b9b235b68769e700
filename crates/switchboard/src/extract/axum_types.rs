//! axum's extractors as arguments of handlers and hooks.

use std::{convert::Infallible, ops::Deref};

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

/// Any axum extractor, run once at the upgrade and kept as long as the connection.
///
/// A kept `HeaderMap`, `Uri` or `Bytes` pins the buffer that the request was read into: take what
/// is needed out of it in an extractor of your own instead.
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

/// An extractor that is not `Clone` itself but holds something that is.
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
    Path: "The path parameters of the upgrade's request. On a route without them the upgrade fails; `Option<Path<T>>` does not.";
    Query: "The query of the upgrade's request.";
    Extension: "An extension of the upgrade's request. Without it the upgrade fails; `Option<Extension<T>>` does not.";
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

kept_option! { Path Extension }
