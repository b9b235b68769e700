//! Sets of messages: what may be sent on a connection.

use crate::Message;
#[cfg(feature = "contract")]
use crate::contract::ContractBuilder;

/// A closed set of messages, or [`AnyMessage`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of messages",
    note = "derive `WsMessages` on an enum whose variants hold one message each"
)]
pub trait MessageSet: Send + Sync + 'static {
    /// Says which messages these are. Nothing for [`AnyMessage`].
    #[cfg(feature = "contract")]
    #[doc(hidden)]
    fn describe(_: &mut ContractBuilder) {}
}

/// A message that belongs to the set `U`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a member of `{U}`",
    label = "this message may not be sent here",
    note = "add a variant that holds it to the set"
)]
pub trait MemberOf<U: MessageSet> {}

/// The set of all messages, the default.
#[derive(Debug)]
pub enum AnyMessage {}

impl MessageSet for AnyMessage {}
impl<M: Message> MemberOf<AnyMessage> for M {}
