//! Handlers and hooks: async functions with extractors as arguments.

mod arguments;
mod events;
mod function;
mod hook;
mod unknown;

use std::{future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use http::Extensions;
use switchboard_core::{
    AnyMessage, Message, MessageMeta as _, MessageSet, Reply, WsError, contract::ContractBuilder, decode, envelope,
};

pub(crate) use self::hook::{ErasedHook, erase as erase_hook};
pub use self::{
    arguments::{Argument, Arguments},
    events::{CloseReason, ClosedBy, Failure},
    function::HandlerFn,
    hook::{Hook, HookArgument, HookArguments, HookOutput},
    unknown::UnknownMessage,
};
use crate::{
    conn::{self, ConnInner, Replied},
    extract::{ConnParts, MessageParts, OptionalParts, Setup, StateScope, Timing},
    request::{Call, ToCompletion},
};

mod sealed {
    pub trait Sealed<X> {}
}

/// An async function that handles a message. Its arguments are up to eight
/// [extractors](crate::extract) and then the message; its return value is the [reply](Reply).
///
/// Implemented for functions, `async` closures and closures that return a future, if they are `Clone`
/// and their futures are `Send`. This trait is sealed. Put `#[ws_handler]` on a function to get
/// errors at the argument that does not fit.
///
/// # Cancel safety
///
/// The future is dropped at its current `.await` when its deadline passes, its client aborts the
/// request or its connection ends: see [`RouteOptions::run_to_completion`](crate::RouteOptions::run_to_completion).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a handler",
    label = "not a handler",
    note = "a handler is an async function of up to 8 extractors and then the message",
    note = "put `#[ws_handler]` on the function for a more exact message"
)]
pub trait Handler<X, S, D, Out = AnyMessage>: sealed::Sealed<(X, S, D, Out)> + Clone + Send + Sync + 'static {
    /// The message that the function handles.
    type Message: Message;

    /// Collects what the arguments need from the upgrade.
    #[doc(hidden)]
    fn setup(setup: &mut Setup<S>);

    /// Adds the message and the replies to a contract.
    #[doc(hidden)]
    fn describe(contract: &mut ContractBuilder, message_type: &'static str);

    /// Starts the handler.
    #[doc(hidden)]
    fn call(self, incoming: Incoming<'_, D>) -> BoxFuture<'static, HandlerResult>;
}

/// A message for a handler.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "applications cannot obtain one")]
pub struct Incoming<'a, D> {
    pub(crate) conn: &'a Arc<ConnInner<D>>,
    /// The state of the router that the handler was added to, if it has its own.
    pub(crate) scope: Option<&'a Arc<StateScope>>,
    /// Whether an argument needs the whole frame.
    pub(crate) keeps_frame: bool,
    pub(crate) call: Call<'a>,
    pub(crate) timing: Timing,
    /// Shared with the connection's task if the handler runs to completion.
    pub(crate) to_completion: Option<&'a ToCompletion>,
    /// Values inserted by middleware.
    pub(crate) extensions: Option<Box<Extensions>>,
    /// Whether the reply is returned as a frame of its own, instead of written into the turn's buffer.
    pub(crate) apart: bool,
}

/// The reply to send, if any, or the error.
#[doc(hidden)]
#[derive(Debug)]
pub struct HandlerResult(pub(crate) Result<Replied, WsError>);

impl<H, Args, Via, S, D, Out> sealed::Sealed<((Args, Via), S, D, Out)> for H where H: HandlerFn<Args> {}

impl<H, Args, Via, S, D, Out, R, O, M> Handler<(Args, Via), S, D, Out> for H
where
    H: HandlerFn<Args, Returned = R>,
    Args: Arguments<S, D, Out, Via, Message = M> + Send + 'static,
    Via: 'static,
    M: Message,
    R: Future<Output = O> + Send + 'static,
    O: Reply<M, M::Kind, Out> + 'static,
    S: Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    type Message = M;

    fn setup(setup: &mut Setup<S>) {
        Args::setup(setup);
    }

    fn describe(contract: &mut ContractBuilder, message_type: &'static str) {
        contract.receives::<M>(message_type);
        O::describe(contract);
    }

    fn call(self, incoming: Incoming<'_, D>) -> BoxFuture<'static, HandlerResult> {
        let Incoming { conn, scope, keeps_frame, call, timing, to_completion, extensions, apart } = incoming;
        // Decoded here, because the future would need a copy of the frame. Errors are reported after
        // those of the extractors.
        let mut message = decode::decode::<M>(call.payload);
        // Checked even if no argument takes it: the type declares it.
        if M::Meta::DECLARED {
            let meta = envelope::extended_meta_from_json::<M::Meta>(call.frame);
            message = message.and_then(|message| meta.map(|_| message));
        }
        let frame = (M::Meta::DECLARED || keeps_frame).then(|| call.frame.into());
        let conn = ConnParts::new(Arc::clone(conn), scope.cloned(), extensions);
        let timestamp = call.meta.timestamp();
        let optional = OptionalParts::of(frame, to_completion);
        let mut parts = MessageParts::new(conn, call.id().keep(), timestamp, timing, optional);
        Box::pin(async move {
            let result = async {
                let args = Args::extract(&mut parts, message).await?;
                let returned = self.invoke(args).await;
                // The request was answered meanwhile. A reply with a frame of its own is returned all the
                // same: it is remembered for retries.
                if !parts.end() && !apart {
                    return Ok(Replied::Nothing);
                }
                let conn = parts.conn_parts().inner();
                conn::reply::<M, M::Kind, Out, O, D>(returned, parts.correlation_id(), conn, apart)
            };
            HandlerResult(result.await)
        })
    }
}

/// A handler with its types erased.
pub(crate) type ErasedHandler<D> = Arc<dyn Fn(Incoming<'_, D>) -> BoxFuture<'static, HandlerResult> + Send + Sync>;

pub(crate) fn erase<H, X, S, D, Out>(handler: H) -> ErasedHandler<D>
where
    H: Handler<X, S, D, Out>,
    D: 'static,
{
    Arc::new(move |incoming| handler.clone().call(incoming))
}
