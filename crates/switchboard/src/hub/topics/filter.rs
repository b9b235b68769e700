//! Which members get a message.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use switchboard_core::Message;

use crate::{
    conn::ConnRef,
    hub::publish::{Looked, Outgoing},
};

type Rule = dyn Fn(&ConnRef, &Outgoing) -> Looked<bool> + Send + Sync;

/// A rule about messages of one type; all others pass.
#[derive(Clone)]
pub(crate) struct Filter {
    message_type: &'static str,
    rule: Arc<Rule>,
}

impl Filter {
    pub(crate) fn new<M: Message>(rule: impl Fn(&ConnRef, &M) -> bool + Send + Sync + 'static) -> Self {
        let rule = move |member: &ConnRef, message: &Outgoing| message.look(|message| rule(member, message));
        Self { message_type: M::TYPE, rule: Arc::new(rule) }
    }

    /// Whether it looks at messages with this type tag.
    pub(crate) fn is_of(&self, message_type: &str) -> bool {
        self.message_type == message_type
    }

    /// Whether the member gets the message: not if the rule panics, or cannot read it.
    pub(crate) fn passes(&self, member: &ConnRef, message: &Outgoing) -> bool {
        if !self.is_of(message.message_type()) {
            return true;
        }
        match catch_unwind(AssertUnwindSafe(|| (self.rule)(member, message))) {
            Ok(Looked::Seen(passes)) => passes,
            Ok(Looked::OtherType) => true,
            Ok(Looked::Unreadable) => {
                self.log(member, "a message cannot be decoded for a topic's filter: the member does not get it");
                false
            }
            Err(_) => {
                self.log(member, "a topic's filter panicked: the member does not get the message");
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

/// The same filter, not an equal one.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rule, &other.rule)
    }
}
