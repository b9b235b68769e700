//! What makes a message take an older one's place.

use std::{any::Any, sync::Arc};

use crate::hub::topics::AnyMessageRef;

type Key = dyn Fn(AnyMessageRef<'_>) -> Option<Box<str>> + Send + Sync;

/// The key of messages of one type.
#[derive(Clone)]
pub(crate) struct ConflationKey(Arc<Key>);

impl ConflationKey {
    pub(crate) fn new<M: Any, K: ToString>(key: impl Fn(&M) -> K + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |message| message.downcast_ref().map(|message| key(message).to_string().into_boxed_str())))
    }

    /// `None` for a message of another type.
    pub(crate) fn of(&self, message: AnyMessageRef<'_>) -> Option<Box<str>> {
        (self.0)(message)
    }
}
