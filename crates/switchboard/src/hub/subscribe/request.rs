//! The request of a change of subscriptions.

use std::sync::Arc;

use switchboard_core::check_topic;

use super::change::PORTION;
use crate::{
    conn::AnyConn,
    hub::{
        Hub, Subscriptions, Topic, TopicError,
        registry::{Keyed, KeyedList},
        topics::TopicRule,
    },
};

/// A requested change of subscriptions.
#[derive(Debug)]
pub(crate) struct SubscriptionRequest {
    /// Normalised, without duplicates. Those to join are within the connection's limit.
    topics: KeyedList<RequestedTopic>,
    operation: Operation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Subscribes to these topics.
    Join,
    /// Unsubscribes from these topics.
    Leave,
    /// Subscribes to these topics, and unsubscribes from all others.
    Exactly,
}

/// One topic of a request, with its rule.
pub(crate) struct RequestedTopic {
    pub(super) name: Arc<str>,
    /// `None` also for topics to leave, which need no rule.
    pub(super) rule: Option<Arc<TopicRule>>,
    /// The answer of the rule for names, which is application code and runs with nothing locked.
    allowed: bool,
}

impl RequestedTopic {
    pub(super) fn check_name(&self) -> Result<(), TopicError> {
        match &self.rule {
            Some(rule) if !self.allowed => Err(TopicError::not_allowed(&self.name, rule.pattern())),
            _ => Ok(()),
        }
    }

    pub(super) fn needs_authorization(&self) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.options.subscribe.is_some())
    }
}

impl Keyed for RequestedTopic {
    type Key = str;
    type OwnedKey = Arc<str>;

    fn key(&self) -> &str {
        &self.name
    }

    fn owned_key(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }
}

impl SubscriptionRequest {
    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.topics.iter().map(|topic| &topic.name)
    }

    /// Returns whether a rule of any of the topics asks the application.
    pub(super) fn needs_authorization(&self) -> bool {
        self.topics.iter().any(RequestedTopic::needs_authorization)
    }

    /// Returns whether the change yields to other tasks.
    pub(super) fn is_large(&self) -> bool {
        self.topics.len() > PORTION
    }

    /// Returns whether the request concerns every topic.
    pub(super) fn is_about_all(&self) -> bool {
        self.operation == Operation::Exactly
    }

    /// Returns the topics to join and to leave, given the current subscriptions.
    pub(super) fn difference(&self, subscriptions: &Subscriptions) -> (Vec<&RequestedTopic>, Vec<Arc<Topic>>) {
        let joins = match self.operation {
            Operation::Join | Operation::Exactly => {
                self.topics.iter().filter(|topic| !subscriptions.contains(&topic.name)).collect()
            }
            Operation::Leave => Vec::new(),
        };
        let leaves = match self.operation {
            Operation::Join => Vec::new(),
            Operation::Leave => self.names().filter_map(|name| subscriptions.topic(name)).cloned().collect(),
            Operation::Exactly => {
                subscriptions.topics().filter(|topic| !self.topics.contains(topic.name())).cloned().collect()
            }
        };
        (joins, leaves)
    }
}

impl Hub {
    /// Creates a request with normalised and checked names.
    pub(crate) fn subscription_request<T: AsRef<str>>(
        &self,
        conn: &AnyConn,
        topics: impl IntoIterator<Item = T>,
        operation: Operation,
    ) -> Result<SubscriptionRequest, TopicError> {
        let limit = conn.settings.config.max_subscriptions;
        let mut wanted: KeyedList<RequestedTopic> = KeyedList::default();
        for topic in topics {
            let name = self.name(topic.as_ref());
            check_topic(&name).map_err(TopicError::invalid_topic)?;
            if wanted.contains(&*name) {
                continue;
            }
            let joins = operation != Operation::Leave;
            // Checked early, so that the application is not asked about an unbounded list.
            if joins && wanted.len() >= limit {
                return Err(TopicError::limit(limit, conn.subscriptions.lock().len()));
            }
            let rule = self.0.rules.find(&name).filter(|_| joins);
            let allowed = rule.is_none_or(|rule| rule.allows_name(&name));
            wanted.push(RequestedTopic { name: name.into(), rule: rule.cloned(), allowed });
        }
        Ok(SubscriptionRequest { topics: wanted, operation })
    }
}
