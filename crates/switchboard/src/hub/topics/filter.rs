//! Filters: which subscribers receive a message.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use switchboard_core::Message;

use crate::{
    conn::ConnRef,
    hub::publish::{Inspected, Outgoing},
};

type Predicate = dyn Fn(&ConnRef, &Outgoing) -> Inspected<bool> + Send + Sync;

/// A filter for messages of one type; all others pass.
#[derive(Clone)]
pub(crate) struct Filter {
    message_type: &'static str,
    rule: Arc<Predicate>,
}

impl Filter {
    pub(crate) fn new<M: Message>(rule: impl Fn(&ConnRef, &M) -> bool + Send + Sync + 'static) -> Self {
        let rule = move |member: &ConnRef, message: &Outgoing| message.inspect(|message| rule(member, message));
        Self { message_type: M::TYPE, rule: Arc::new(rule) }
    }

    /// Returns whether it applies to messages with this type tag.
    pub(crate) fn is_of(&self, message_type: &str) -> bool {
        self.message_type == message_type
    }

    /// Returns whether the subscriber receives the message. It does not if the filter panics or the
    /// message cannot be decoded.
    pub(crate) fn passes(&self, member: &ConnRef, message: &Outgoing) -> bool {
        if !self.is_of(message.message_type()) {
            return true;
        }
        match catch_unwind(AssertUnwindSafe(|| (self.rule)(member, message))) {
            Ok(Inspected::Value(passes)) => passes,
            Ok(Inspected::OtherType) => true,
            Ok(Inspected::Undecodable) => {
                self.log(
                    member,
                    "a message cannot be decoded for a topic's filter: the subscriber does not receive it",
                );
                false
            }
            Err(_) => {
                self.log(member, "a topic's filter panicked: the subscriber does not receive the message");
                false
            }
        }
    }

    fn log(&self, member: &ConnRef, text: &'static str) {
        if let Some(suppressed) = member.hub().may_log() {
            tracing::error!(conn = %member.id(), message_type = self.message_type, suppressed, "{text}");
        }
    }
}

/// Two filters are equal if they are clones of each other.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rule, &other.rule)
    }
}
