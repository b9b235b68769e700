//! What a handler's arguments are made from.
//!
//! One blanket `impl FromMessageParts for T: FromConnParts` is impossible: other crates may
//! implement it for our types with their state. Hence `Argument`, whose parameter `Via` keeps the
//! ways to become an argument apart; it is always inferred.

use std::{any::Any, sync::Arc};

use switchboard_core::{Issues, Message, MessageSet, WsError};

use crate::{
    Conn, Hub,
    extract::{FromConnParts, FromMessageParts, MessageParts, Meta, Setup},
};

/// Made from the connection.
#[derive(Debug)]
pub enum ViaConn {}
/// Made from the message's envelope.
#[derive(Debug)]
pub enum ViaMessage {}
/// A handle.
#[derive(Debug)]
pub enum ViaHandle {}
/// The message's meta.
#[derive(Debug)]
pub enum ViaMeta {}

/// One argument of a handler of `M`.
///
/// Implemented for everything in the [table of extractors](crate::extract); implement
/// [`FromConnParts`] or [`FromMessageParts`] for your own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument here",
    label = "not an extractor for a router with state `{S}` and connection data `{D}`, or not for a handler of `{M}` (the message is the last argument)",
    note = "see `switchboard::extract` for what handlers may take; other extractors of axum's go into `FromUpgrade<T>`",
    note = "implement `FromConnParts` for types of your own",
    note = "`Conn<T>` must have the `T` that `authenticate` returns (in `#[ws_handlers]`: that `data = T` names), `State<T>` a `T` that `FromRef` makes of the state"
)]
pub trait Argument<S, D, Out, M, Via>: Sized + Send {
    /// Makes the argument.
    #[doc(hidden)]
    fn make(parts: &mut MessageParts<D>, state: &S) -> impl Future<Output = Result<Self, WsError>> + Send;

    /// Collects what it needs of the upgrade.
    #[doc(hidden)]
    fn setup(_: &mut Setup<S>) {}
}

impl<S, D, Out, M, T> Argument<S, D, Out, M, ViaConn> for T
where
    T: FromConnParts<S, D>,
    S: Sync,
    D: Send + Sync + 'static,
{
    async fn make(parts: &mut MessageParts<D>, state: &S) -> Result<Self, WsError> {
        T::from_conn_parts(parts.conn_parts(), state).await.map_err(Into::into)
    }

    fn setup(setup: &mut Setup<S>) {
        <T as FromConnParts<S, D>>::setup(setup);
    }
}

impl<S, D, Out, M, T> Argument<S, D, Out, M, ViaMessage> for T
where
    T: FromMessageParts<S, D>,
    S: Sync,
    D: Send + Sync + 'static,
    M: Message,
{
    async fn make(parts: &mut MessageParts<D>, state: &S) -> Result<Self, WsError> {
        T::from_message_parts(parts, state).await.map_err(Into::into)
    }

    fn setup(setup: &mut Setup<S>) {
        <T as FromMessageParts<S, D>>::setup(setup);
    }
}

impl<S, D, Out, M> Argument<S, D, Out, M, ViaHandle> for Conn<D, Out>
where
    S: Sync,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    async fn make(parts: &mut MessageParts<D>, _: &S) -> Result<Self, WsError> {
        Ok(Self::new(parts.conn_parts().inner().clone()))
    }
}

impl<S, D, Out, M> Argument<S, D, Out, M, ViaHandle> for Hub
where
    S: Sync,
    D: Send + Sync + 'static,
{
    async fn make(parts: &mut MessageParts<D>, _: &S) -> Result<Self, WsError> {
        Ok(parts.conn_parts().hub().clone())
    }
}

#[diagnostic::do_not_recommend]
impl<S, D, Out, M> Argument<S, D, Out, M, ViaMeta> for Meta<M::Meta>
where
    S: Sync,
    D: Send + Sync + 'static,
    M: Message,
{
    async fn make(parts: &mut MessageParts<D>, _: &S) -> Result<Self, WsError> {
        let declared = parts.extended_meta()?;
        Ok(Self::new(parts.correlation_id().map(str::to_owned), parts.timestamp(), declared))
    }
}

/// All arguments of a handler: extractors, and the message last.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of a handler",
    label = "the last argument must be the message",
    note = "a handler takes up to 8 extractors and then the message"
)]
pub trait Arguments<S, D, Out, Via>: Sized {
    /// The last argument.
    type Message: Message;

    /// Makes them, in order.
    #[doc(hidden)]
    fn extract(
        parts: &mut MessageParts<D>,
        message: Result<Self::Message, Issues>,
    ) -> impl Future<Output = Result<Self, WsError>> + Send;

    /// Collects what they need of the upgrade.
    #[doc(hidden)]
    fn setup(setup: &mut Setup<S>);
}

fn state_of<S: 'static>(state: &Option<Arc<dyn Any + Send + Sync>>) -> Result<&S, WsError> {
    state
        .as_ref()
        .and_then(|state| state.downcast_ref())
        .ok_or_else(|| WsError::internal(format!("the router's state is not a {}", std::any::type_name::<S>())))
}

macro_rules! arguments {
    ($(($($T:ident $V:ident)*))*) => {$(
        impl<S, D, Out, M, $($T, $V,)*> Arguments<S, D, Out, ($($V,)*)> for ($($T,)* M,)
        where
            M: Message,
            S: Send + Sync + 'static,
            D: Send + Sync + 'static,
            $($T: Argument<S, D, Out, M, $V>,)*
        {
            type Message = M;

            #[allow(clippy::allow_attributes, non_snake_case, unused_variables, reason = "as many as there are")]
            async fn extract(parts: &mut MessageParts<D>, message: Result<M, Issues>) -> Result<Self, WsError> {
                // Held beside the parts, which the extractors borrow mutably; not needed without any.
                const EXTRACTORS: &[&str] = &[$(stringify!($T)),*];
                let state = if EXTRACTORS.is_empty() { None } else { Some(parts.conn_parts().state_handle()) };
                $(let $T = $T::make(parts, state_of(&state)?).await?;)*
                let message = message.map_err(|issues| WsError::invalid_payload(&issues))?;
                Ok(($($T,)* message,))
            }

            #[allow(clippy::allow_attributes, unused_variables, reason = "no extractor, nothing to set up")]
            fn setup(setup: &mut Setup<S>) {
                $($T::setup(setup);)*
            }
        }
    )*};
}

arguments! {
    ()
    (T1 V1)
    (T1 V1 T2 V2)
    (T1 V1 T2 V2 T3 V3)
    (T1 V1 T2 V2 T3 V3 T4 V4)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5 T6 V6)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5 T6 V6 T7 V7)
    (T1 V1 T2 V2 T3 V3 T4 V4 T5 V5 T6 V6 T7 V7 T8 V8)
}
