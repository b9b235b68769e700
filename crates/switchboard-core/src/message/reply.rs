//! What a handler may return.

#[cfg(feature = "contract")]
use crate::contract::ContractBuilder;
use crate::{MemberOf, Message, MessageSet, WsError, envelope::Head};

/// A value that a handler of `M` may return on a connection that may be sent `Out`.
///
/// | handler of | may return |
/// |---|---|
/// | an event | `()`, or a message, which goes back to the sender, or `Option` of one |
/// | a request | its response |
/// | both | `Result` of that with any error that converts into [`WsError`] |
#[diagnostic::on_unimplemented(
    message = "a handler of `{M}` cannot return `{Self}`: `{M}` is an `{K}`",
    label = "wrong return type",
    note = "an event's handler returns `()`, a message, or `Option` of one; a request's handler returns its response",
    note = "both may return `Result<_, E>` where `E: Into<WsError>`; for errors of other crates that is `Result<_, BoxError>`, or `.map_err(WsError::internal)`"
)]
pub trait Reply<M, K, Out> {
    /// Writes the reply's envelope, or nothing.
    #[doc(hidden)]
    fn write(self, writer: &mut ReplyWriter<'_>) -> Result<(), WsError>;

    /// Says which message an event's handler replies with. A request's response is its own.
    #[cfg(feature = "contract")]
    #[doc(hidden)]
    fn describe(_: &mut ContractBuilder) {}
}

/// Where a reply is written to.
#[doc(hidden)]
#[derive(Debug)]
pub struct ReplyWriter<'a> {
    out: &'a mut Vec<u8>,
    head: Head<'a>,
    validate: bool,
    written: bool,
}

impl<'a> ReplyWriter<'a> {
    /// `out` is appended to.
    pub fn new(out: &'a mut Vec<u8>, head: Head<'a>, validate: bool) -> Self {
        Self { out, head, validate, written: false }
    }

    /// Whether there was a reply.
    #[must_use]
    pub fn written(&self) -> bool {
        self.written
    }

    fn message<M: Message<Meta = ()>>(&mut self, message: &M) -> Result<(), WsError> {
        if self.validate {
            message.validate().map_err(|issues| WsError::invalid_outbound(M::TYPE, &issues))?;
        }
        self.head.write(self.out, message)?;
        self.written = true;
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<M, Out> Reply<M, crate::Event, Out> for () {
    fn write(self, _: &mut ReplyWriter<'_>) -> Result<(), WsError> {
        Ok(())
    }
}

impl<M, R, Out> Reply<M, crate::Event, Out> for R
where
    R: Message<Meta = ()> + MemberOf<Out>,
    Out: MessageSet,
{
    fn write(self, writer: &mut ReplyWriter<'_>) -> Result<(), WsError> {
        writer.message(&self)
    }

    #[cfg(feature = "contract")]
    fn describe(contract: &mut ContractBuilder) {
        contract.sends::<R>();
    }
}

#[diagnostic::do_not_recommend]
impl<M, R, Out> Reply<M, crate::Event, Out> for Option<R>
where
    R: Message<Meta = ()> + MemberOf<Out>,
    Out: MessageSet,
{
    fn write(self, writer: &mut ReplyWriter<'_>) -> Result<(), WsError> {
        self.map_or(Ok(()), |reply| writer.message(&reply))
    }

    #[cfg(feature = "contract")]
    fn describe(contract: &mut ContractBuilder) {
        contract.sends::<R>();
    }
}

impl<M, R, Out> Reply<M, crate::Rpc<R>, Out> for R
where
    R: Message<Meta = ()>,
{
    fn write(self, writer: &mut ReplyWriter<'_>) -> Result<(), WsError> {
        writer.message(&self)
    }
}

#[diagnostic::do_not_recommend]
impl<M, K, Out, R, E> Reply<M, K, Out> for Result<R, E>
where
    R: Reply<M, K, Out>,
    E: Into<WsError>,
{
    fn write(self, writer: &mut ReplyWriter<'_>) -> Result<(), WsError> {
        match self {
            Ok(reply) => reply.write(writer),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(feature = "contract")]
    fn describe(contract: &mut ContractBuilder) {
        R::describe(contract);
    }
}
