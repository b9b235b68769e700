//! Hooks: async functions that run at events of a connection.

use std::{future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use switchboard_core::{MessageSet, WsError};

use super::{
    HandlerFn,
    arguments::{ViaConn, ViaHandle},
};
use crate::{
    Conn, Hub,
    extract::{ConnParts, FromConnParts, Setup},
};

/// The event.
#[derive(Debug)]
pub enum ViaEvent {}

mod sealed {
    pub trait Sealed<X> {}
}

/// An async function that runs at an event `E` of a connection.
///
/// Its arguments are up to eight [extractors](crate::extract) that need no message; one of them may be
/// the event. It returns `()` or a `Result<(), Error>` with `Error: Into<WsError>`. This trait is
/// sealed and implemented for functions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a hook",
    label = "not a hook",
    note = "a hook is an async function of up to 8 extractors, one of which may be the event (`{E}` here)"
)]
pub trait Hook<X, S, D, Out, E>: sealed::Sealed<(X, S, D, Out, E)> + Clone + Send + Sync + 'static {
    /// Collects what the arguments need from the upgrade.
    #[doc(hidden)]
    fn setup(setup: &mut Setup<S>);

    /// Starts the hook.
    #[doc(hidden)]
    fn call(self, parts: ConnParts<D>, event: E) -> BoxFuture<'static, Result<(), WsError>>;
}

/// The return value of a hook: `()` or a `Result<(), E>` with `E: Into<WsError>`.
#[diagnostic::on_unimplemented(
    message = "a hook cannot return `{Self}`",
    label = "wrong return type",
    note = "a hook returns `()` or `Result<(), E>` where `E: Into<WsError>`"
)]
pub trait HookOutput {
    /// Converts into a result.
    #[doc(hidden)]
    fn into_result(self) -> Result<(), WsError>;
}

impl HookOutput for () {
    fn into_result(self) -> Result<(), WsError> {
        Ok(())
    }
}

impl<E: Into<WsError>> HookOutput for Result<(), E> {
    fn into_result(self) -> Result<(), WsError> {
        self.map_err(Into::into)
    }
}

/// An argument of a hook for the event `E`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of this hook",
    label = "not an extractor for a hook of `{E}` in a router with state `{S}` and connection data `{D}`",
    note = "a hook has no message: `Meta` and the like are for handlers only"
)]
pub trait HookArgument<S, D, Out, E, Via>: Sized + Send {
    /// Extracts the argument.
    #[doc(hidden)]
    fn make(parts: &ConnParts<D>, state: &S, event: &E) -> impl Future<Output = Result<Self, WsError>> + Send;

    /// Collects what the argument needs from the upgrade.
    #[doc(hidden)]
    fn setup(_: &mut Setup<S>) {}
}

impl<S, D, Out, E, T> HookArgument<S, D, Out, E, ViaConn> for T
where
    T: FromConnParts<S, D>,
    S: Sync,
    D: Send + Sync + 'static,
    E: Sync,
{
    async fn make(parts: &ConnParts<D>, state: &S, _: &E) -> Result<Self, WsError> {
        T::from_conn_parts(parts, state).await.map_err(Into::into)
    }

    fn setup(setup: &mut Setup<S>) {
        <T as FromConnParts<S, D>>::setup(setup);
    }
}

impl<S, D, Out, E> HookArgument<S, D, Out, E, ViaHandle> for Conn<D, Out>
where
    S: Sync,
    D: Send + Sync + 'static,
    Out: MessageSet,
    E: Sync,
{
    async fn make(parts: &ConnParts<D>, _: &S, _: &E) -> Result<Self, WsError> {
        Ok(Self::new(Arc::clone(parts.inner())))
    }
}

impl<S, D, Out, E> HookArgument<S, D, Out, E, ViaHandle> for Hub
where
    S: Sync,
    D: Send + Sync + 'static,
    E: Sync,
{
    async fn make(parts: &ConnParts<D>, _: &S, _: &E) -> Result<Self, WsError> {
        Ok(parts.hub().clone())
    }
}

impl<S, D, Out, E> HookArgument<S, D, Out, E, ViaEvent> for E
where
    S: Sync,
    D: Send + Sync + 'static,
    E: Clone + Send + Sync,
{
    async fn make(_: &ConnParts<D>, _: &S, event: &E) -> Result<Self, WsError> {
        Ok(event.clone())
    }
}

/// The arguments of a hook.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of a hook",
    note = "a hook takes up to 8 extractors and its event"
)]
pub trait HookArguments<S, D, Out, E, Via>: Sized {
    /// Extracts the arguments, in order.
    #[doc(hidden)]
    fn extract(parts: &ConnParts<D>, event: &E) -> impl Future<Output = Result<Self, WsError>> + Send;

    /// Collects what the arguments need from the upgrade.
    #[doc(hidden)]
    fn setup(setup: &mut Setup<S>);
}

macro_rules! hook_arguments {
    ($(($($T:ident $V:ident)*))*) => {$(
        impl<S, D, Out, E, $($T, $V,)*> HookArguments<S, D, Out, E, ($($V,)*)> for ($($T,)*)
        where
            S: Send + Sync + 'static,
            D: Send + Sync + 'static,
            E: Send + Sync,
            $($T: HookArgument<S, D, Out, E, $V>,)*
        {
            #[allow(clippy::allow_attributes, non_snake_case, unused_variables, reason = "generated for any number")]
            async fn extract(parts: &ConnParts<D>, event: &E) -> Result<Self, WsError> {
                let state: &S = parts.state()?;
                $(let $T = $T::make(parts, state, event).await?;)*
                Ok(($($T,)*))
            }

            #[allow(clippy::allow_attributes, unused_variables, reason = "a hook without arguments has nothing to set up")]
            fn setup(setup: &mut Setup<S>) {
                $($T::setup(setup);)*
            }
        }
    )*};
}

hook_arguments! {
    ()
    (T1 V1)
    (T1 V1 T2 V2)
    (T1 V1 T2 V2 T3 V3)
    (T1 V1 T2 V2 T3 V3 T4 V4)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5 T6 V6)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5 T6 V6 T7 V7)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5 T6 V6 T7 V7 T8 V8)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5 T6 V6 T7 V7 T8 V8 T9 V9)
}

impl<H, Args, Via, S, D, Out, E> sealed::Sealed<((Args, Via), S, D, Out, E)> for H where H: HandlerFn<Args> {}

impl<H, Args, Via, S, D, Out, E, R, O> Hook<(Args, Via), S, D, Out, E> for H
where
    H: HandlerFn<Args, Returned = R>,
    Args: HookArguments<S, D, Out, E, Via> + Send + 'static,
    Via: 'static,
    R: Future<Output = O> + Send + 'static,
    O: HookOutput + 'static,
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
    E: Clone + Send + Sync + 'static,
{
    fn setup(setup: &mut Setup<S>) {
        Args::setup(setup);
    }

    fn call(self, parts: ConnParts<D>, event: E) -> BoxFuture<'static, Result<(), WsError>> {
        Box::pin(async move {
            let args = Args::extract(&parts, &event).await?;
            self.invoke(args).await.into_result()
        })
    }
}

/// A hook with its types erased.
pub(crate) type ErasedHook<D, E> =
    Arc<dyn Fn(ConnParts<D>, E) -> BoxFuture<'static, Result<(), WsError>> + Send + Sync>;

pub(crate) fn erase<H, X, S, D, Out, E>(hook: H) -> ErasedHook<D, E>
where
    H: Hook<X, S, D, Out, E>,
    D: 'static,
    E: 'static,
{
    Arc::new(move |parts, event| hook.clone().call(parts, event))
}
