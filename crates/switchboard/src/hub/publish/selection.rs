//! What of a hub's rules holds for one publish.

use std::{
    any::Any,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use switchboard_core::Message;

use crate::{
    conn::AnyConn,
    fanout::Selective,
    hub::{Filter, Hub, Member, PublishError, topics::Rule},
};

/// The rules of a topic for one publish.
#[derive(Default)]
pub(crate) struct Selection {
    pub(crate) rule: Option<Arc<Rule>>,
    /// Where not all members get the same.
    pub(crate) selective: Option<Box<Selective<AnyConn>>>,
}

impl Hub {
    /// Whether there is anything by which members could differ.
    pub(crate) fn may_select(&self) -> bool {
        !self.0.rules.is_empty() || self.0.filters.load(Relaxed) > 0
    }

    /// What holds for publishing this message to a topic.
    pub(crate) fn selection<M: Message>(&self, topic: &str, message: M) -> Result<Selection, PublishError> {
        let rule = self.0.rules.find(topic);
        if let Some(rule) = rule.filter(|rule| !rule.allows_name(topic)) {
            return Err(PublishError::not_allowed(topic, rule.pattern()));
        }
        let mark = rule.and_then(|rule| rule.mark(topic, &message));
        let filtered = rule.is_some_and(|rule| rule.filters::<M>())
            || (self.0.filters.load(Relaxed) > 0 && self.topic(topic).is_some_and(|topic| topic.has_filters()));
        let passes = filtered.then(|| {
            let (rule, message) = (rule.cloned(), Box::new(message) as Box<dyn Any + Send + Sync>);
            let passes = move |conn: &Arc<AnyConn>, own: Option<&Filter>| {
                let mut filters = rule.iter().flat_map(|rule| &rule.options.filters).chain(own).peekable();
                filters.peek().is_none() || {
                    let view = Member::new(Arc::clone(conn));
                    filters.all(|filter| filter.passes(&view, &*message))
                }
            };
            Box::new(passes) as Box<_>
        });
        Ok(Selection { rule: rule.cloned(), selective: Selective::new(passes, mark) })
    }
}
