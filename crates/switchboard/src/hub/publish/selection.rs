//! Selecting the subscribers that receive a publish, and its policy for full queues.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use parking_lot::Mutex;
use rustc_hash::FxHashSet;

use crate::{
    conn::{AnyConn, ConnId, ConnRef},
    fanout::Selective,
    hub::{Filter, Hub, Topic, publish::Outgoing},
};

impl Hub {
    /// Returns whether rules or filters may inspect the value of a message.
    pub(crate) fn looks_at_values(&self) -> bool {
        self.0.rules.look_at_values() || self.0.filters.load(Relaxed) > 0
    }

    /// Returns how a message is delivered selectively; `None` if all subscribers receive it alike. `key`
    /// is the message's conflation key, if its publisher has told it.
    pub(crate) fn selection(
        &self,
        topic: &Topic,
        message: Outgoing,
        audience: Audience,
        key: Option<Box<str>>,
    ) -> Option<Box<Selective<AnyConn>>> {
        let rule = topic.rule();
        if cfg!(debug_assertions)
            && let Some(rule) = rule
        {
            rule.warn_if_unexpected(message.message_type());
        }
        let policy = rule.and_then(|rule| rule.discard_policy(topic.name(), &message, key));
        let filtered = rule.is_some_and(|rule| rule.filters(message.message_type()))
            || (self.0.filters.load(Relaxed) > 0 && topic.has_filters());
        let passes = (filtered || !audience.is_everybody()).then(|| {
            let rule = rule.filter(|_| filtered).cloned();
            let passes = move |conn: &Arc<AnyConn>, own: Option<&Filter>| {
                let mut filters = rule.iter().flat_map(|rule| &rule.options.filters).chain(own).peekable();
                let passes = filters.peek().is_none() || {
                    let view = ConnRef::new(Arc::clone(conn));
                    filters.all(|filter| filter.passes(&view, &message))
                };
                passes && audience.admits(conn.id)
            };
            Box::new(passes) as Box<_>
        });
        Selective::new(passes, policy)
    }
}

/// The subscribers that a publish is for, before filters.
#[derive(Clone, Default)]
pub(crate) struct Audience {
    pub(crate) except: Vec<ConnId>,
    /// For a publish to several topics: the connections that have received it.
    reached: Option<Arc<Mutex<FxHashSet<ConnId>>>>,
}

impl Audience {
    /// For a publish to several topics: clones share which connections have received it.
    pub(crate) fn of_several_topics() -> Self {
        Self { except: Vec::new(), reached: Some(Arc::default()) }
    }

    fn is_everybody(&self) -> bool {
        self.except.is_empty() && self.reached.is_none()
    }

    /// Returns whether a subscriber receives the message. Called once for each subscriber of a
    /// topic.
    fn admits(&self, id: ConnId) -> bool {
        !self.except.contains(&id) && self.reached.as_ref().is_none_or(|reached| reached.lock().insert(id))
    }
}
