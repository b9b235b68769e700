//! Functions as middleware.

use std::{future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use switchboard_core::{AnyMessage, WsError};

use super::{Next, WsReply, WsRequest};
use crate::{
    extract::{Setup, StateScope},
    handler::{HandlerFn, HookArgument},
};

/// The place of the event in [`HookArgument`]: middleware has none.
#[derive(Debug)]
pub struct NoEvent;

mod sealed {
    pub trait Sealed<X> {}
}

/// An async function of extractors, a [`WsRequest`] and [`Next`]: see [`from_fn`](super::from_fn).
///
/// This trait is sealed and implemented for functions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a middleware",
    label = "not a middleware of connections with the data `{D}`",
    note = "a middleware is an async function of up to 7 extractors that need no message, then `WsRequest<D>` and \
            `Next<D>`; it returns `Result<WsReply, WsError>`"
)]
pub trait Middleware<X, S, D>: sealed::Sealed<(X, S, D)> + Clone + Send + Sync + 'static {
    /// Collects what the arguments need from the upgrade.
    #[doc(hidden)]
    fn setup(setup: &mut Setup<S>);

    /// Starts the middleware.
    #[doc(hidden)]
    fn call(
        self,
        scope: Arc<StateScope>,
        request: WsRequest<D>,
        next: Next<D>,
    ) -> BoxFuture<'static, Result<WsReply, WsError>>;
}

/// The arguments of a middleware: extractors, the message, and the inner layers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of a middleware",
    label = "the last arguments must be `WsRequest<D>` and `Next<D>`",
    note = "a middleware takes up to 7 extractors that need no message, then `WsRequest<D>` and `Next<D>`"
)]
pub trait MiddlewareArguments<S, D, Via>: Sized {
    /// Extracts the arguments, in order.
    #[doc(hidden)]
    fn extract(
        scope: Arc<StateScope>,
        request: WsRequest<D>,
        next: Next<D>,
    ) -> impl Future<Output = Result<Self, WsError>> + Send;

    /// Collects what the arguments need from the upgrade.
    #[doc(hidden)]
    fn setup(setup: &mut Setup<S>);
}

macro_rules! middleware_arguments {
    ($(($($T:ident $V:ident)*))*) => {$(
        impl<S, D, $($T, $V,)*> MiddlewareArguments<S, D, ($($V,)*)> for ($($T,)* WsRequest<D>, Next<D>)
        where
            S: Send + Sync + 'static,
            D: Send + Sync + 'static,
            $($T: HookArgument<S, D, AnyMessage, NoEvent, $V>,)*
        {
            #[allow(clippy::allow_attributes, non_snake_case, reason = "the arguments are named as their types")]
            async fn extract(scope: Arc<StateScope>, request: WsRequest<D>, next: Next<D>) -> Result<Self, WsError> {
                let parts = request.parts_of(Some(scope));
                let state: &S = parts.state()?;
                $(let $T = $T::make(&parts, state, &NoEvent).await?;)*
                Ok(($($T,)* request, next))
            }

            fn setup(setup: &mut Setup<S>) {
                $($T::setup(setup);)*
            }
        }
    )*};
}

/// Without extractors, nothing is copied from the message.
impl<S, D: Send + Sync + 'static> MiddlewareArguments<S, D, ()> for (WsRequest<D>, Next<D>) {
    async fn extract(_: Arc<StateScope>, request: WsRequest<D>, next: Next<D>) -> Result<Self, WsError> {
        Ok((request, next))
    }

    fn setup(_: &mut Setup<S>) {}
}

middleware_arguments! {
    (T1 V1)
    (T1 V1 T2 V2)
    (T1 V1 T2 V2 T3 V3)
    (T1 V1 T2 V2 T3 V3 T4 V4)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5 T6 V6)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5 T6 V6 T7 V7)
}

impl<F, Args, Via, S, D> sealed::Sealed<((Args, Via), S, D)> for F where F: HandlerFn<Args> {}

impl<F, Args, Via, S, D, R> Middleware<(Args, Via), S, D> for F
where
    F: HandlerFn<Args, Returned = R>,
    Args: MiddlewareArguments<S, D, Via> + Send + 'static,
    Via: 'static,
    R: Future<Output = Result<WsReply, WsError>> + Send + 'static,
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
{
    fn setup(setup: &mut Setup<S>) {
        Args::setup(setup);
    }

    fn call(
        self,
        scope: Arc<StateScope>,
        request: WsRequest<D>,
        next: Next<D>,
    ) -> BoxFuture<'static, Result<WsReply, WsError>> {
        Box::pin(async move { self.invoke(Args::extract(scope, request, next).await?).await })
    }
}
