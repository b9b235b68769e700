//! Handlers and hooks: async functions of extractors.

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
    extract::{ConnParts, MessageParts, Setup, Special, StateScope, Timing},
    request::{Call, ToCompletion},
};

mod sealed {
    pub trait Sealed<X> {}
}

/// An async function that handles a message: up to eight [extractors](crate::extract), then the
/// message.
///
/// What it returns is the reply: see [`Reply`]. Functions, `async` closures and closures that
/// return a future all fit, as long as they are `Clone` and their futures `Send`.
///
/// A handler that is ready at its first poll costs no task and no timer. It is dropped when its
/// connection ends or its deadline passes, at whatever `.await` it is then.
///
/// Sealed: implemented for functions. `#[ws_handler]` on a function makes the compiler point at
/// the argument that does not fit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a handler",
    label = "not a handler",
    note = "a handler is an async function of up to 8 extractors and then the message",
    note = "put `#[ws_handler]` on the function for a more exact message"
)]
pub trait Handler<X, S, D, Out = AnyMessage>: sealed::Sealed<(X, S, D, Out)> + Clone + Send + Sync + 'static {
    /// The message that it handles.
    type Message: Message;

    /// Collects what the arguments need of the upgrade.
    #[doc(hidden)]
    fn setup(setup: &mut Setup<S>);

    /// Says what it takes and sends.
    #[doc(hidden)]
    fn describe(contract: &mut ContractBuilder, message_type: &'static str);

    /// Runs it.
    #[doc(hidden)]
    fn call(self, incoming: Incoming<'_, D>) -> BoxFuture<'static, HandlerResult>;
}

/// A message that has arrived on a connection.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "nobody has one")]
pub struct Incoming<'a, D> {
    pub(crate) conn: &'a Arc<ConnInner<D>>,
    /// The state of the part of the router that the handler belongs to, if it has its own.
    pub(crate) scope: Option<&'a Arc<StateScope>>,
    /// Whether something that the handler takes needs the whole frame.
    pub(crate) keeps_frame: bool,
    pub(crate) call: Call<'a>,
    pub(crate) timing: Timing,
    /// Where the connection's task gives the handler up without dropping it.
    pub(crate) to_completion: Option<&'a ToCompletion>,
    /// What middleware has put beside the message.
    pub(crate) extensions: Option<Box<Extensions>>,
    /// Whether the reply is wanted by itself, rather than among what the turn puts out.
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
        // Now, while the frame is at hand: the future would have to keep a copy of it. What is wrong
        // counts only after the extractors.
        let mut message = decode::decode::<M>(call.payload);
        // Also where no argument asks for it: the type promises it.
        if M::Meta::DECLARED {
            let meta = envelope::extended_meta_from_json::<M::Meta>(call.frame);
            message = message.and_then(|message| meta.map(|_| message));
        }
        let frame = (M::Meta::DECLARED || keeps_frame).then(|| call.frame.into());
        let conn = ConnParts::new(Arc::clone(conn), scope.cloned());
        let timestamp = call.meta.timestamp();
        let special = Special::of(frame, to_completion, extensions);
        let mut parts = MessageParts::new(conn, call.id().keep(), timestamp, timing, special);
        Box::pin(async move {
            let result = async {
                let args = Args::extract(&mut parts, message).await?;
                let returned = self.invoke(args).await;
                // Somebody else has had the last word; what is wanted by itself is remembered all the same.
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
