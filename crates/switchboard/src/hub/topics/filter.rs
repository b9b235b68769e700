//! What members let through.

use std::{
    any::{Any, TypeId},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::hub::Member;

/// A message while it is on its way to those that look at it.
pub(crate) type AnyMessageRef<'a> = &'a (dyn Any + Send + Sync);

type Rule = dyn Fn(&Member, AnyMessageRef<'_>) -> bool + Send + Sync;

/// A rule about one type of messages; all others pass.
#[derive(Clone)]
pub(crate) struct Filter {
    of: TypeId,
    rule: Arc<Rule>,
}

impl Filter {
    pub(crate) fn new<M: Any>(rule: impl Fn(&Member, &M) -> bool + Send + Sync + 'static) -> Self {
        let rule = move |member: &Member, message: AnyMessageRef<'_>| {
            message.downcast_ref().is_none_or(|message| rule(member, message))
        };
        Self { of: TypeId::of::<M>(), rule: Arc::new(rule) }
    }

    /// Whether it has anything to say about messages of this type.
    pub(crate) fn is_of<M: Any>(&self) -> bool {
        self.of == TypeId::of::<M>()
    }

    /// Whether the member gets the message. If it panics: no.
    pub(crate) fn passes(&self, member: &Member, message: AnyMessageRef<'_>) -> bool {
        let passes = catch_unwind(AssertUnwindSafe(|| (self.rule)(member, message)));
        passes.unwrap_or_else(|_| {
            if let Some(suppressed) = member.hub().may_log() {
                tracing::error!(
                    conn = %member.id(), suppressed,
                    "a topic's filter panicked: the member does not get the message"
                );
            }
            false
        })
    }
}

/// The same filter, not an equal one.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rule, &other.rule)
    }
}
