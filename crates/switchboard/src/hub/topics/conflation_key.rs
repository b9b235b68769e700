//! Conflation: a newer message replaces a queued one with the same key.

use std::sync::Arc;

use switchboard_core::Message;

use crate::hub::publish::{Inspected, Outgoing};

type Key = dyn Fn(&Outgoing) -> Option<Box<str>> + Send + Sync;

/// The function that returns the conflation key of messages of one type.
#[derive(Clone)]
pub(crate) struct ConflationKey {
    message_type: &'static str,
    key: Arc<Key>,
}

impl ConflationKey {
    pub(crate) fn new<M: Message, K: ToString>(key: impl Fn(&M) -> K + Send + Sync + 'static) -> Self {
        let key = move |message: &Outgoing| match message.inspect(&key) {
            Inspected::Value(key) => Some(key.to_string().into_boxed_str()),
            Inspected::OtherType | Inspected::Undecodable => None,
        };
        Self { message_type: M::TYPE, key: Arc::new(key) }
    }

    /// Returns whether it applies to messages with this type tag.
    pub(crate) fn is_of(&self, message_type: &str) -> bool {
        self.message_type == message_type
    }

    /// Returns the key of a message; `None` for a message of another type.
    pub(crate) fn of(&self, message: &Outgoing) -> Option<Box<str>> {
        if self.is_of(message.message_type()) { (self.key)(message) } else { None }
    }
}
