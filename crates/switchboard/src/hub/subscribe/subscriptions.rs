//! The subscriptions of one connection.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{
    conn::ConnInner,
    fanout::{self, Subscriber},
    hub::{
        Topic,
        registry::{Keyed, KeyedList},
        topics::RuleId,
    },
};

/// The subscriptions of one connection, in the order of subscribing.
#[derive(Default)]
pub(crate) struct Subscriptions {
    list: KeyedList<Subscription>,
    ended: bool,
    /// The number of the last subscription.
    last_number: u32,
    /// The number of subscriptions for each rule that limits them.
    limited: Option<Box<FxHashMap<RuleId, usize>>>,
}

pub(crate) struct Subscription {
    pub(crate) topic: Arc<Topic>,
    /// The subscriber's key in the topic, in 32 bits to save memory.
    member_key: u32,
    /// Tells the subscription from earlier ones to the same topic.
    number: u32,
}

impl Keyed for Subscription {
    type Key = str;
    type OwnedKey = Arc<str>;

    fn key(&self) -> &str {
        self.topic.name()
    }

    fn owned_key(&self) -> Arc<str> {
        Arc::clone(self.topic.name())
    }
}

impl Subscription {
    /// Returns the subscriber's key in the topic.
    pub(crate) fn member_key(&self) -> usize {
        self.member_key as usize
    }
}

/// Returns the rule of a topic, if it limits the subscriptions per connection.
fn limiting(topic: &Topic) -> Option<RuleId> {
    topic.rule().filter(|rule| rule.options.max_per_connection.is_some()).map(|rule| rule.id())
}

fn narrow(key: usize) -> u32 {
    u32::try_from(key).unwrap_or(u32::MAX)
}

impl Subscriptions {
    pub(crate) fn names(&self) -> Vec<String> {
        self.iter_names().map(str::to_owned).collect()
    }

    fn iter_names(&self) -> impl Iterator<Item = &str> {
        self.topics().map(|topic| &**topic.name())
    }

    pub(crate) fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.list.iter().map(|subscription| &subscription.topic)
    }

    pub(crate) fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.list.get(name).map(|subscription| &subscription.topic)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.list.contains(name)
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn push(&mut self, topic: Arc<Topic>, member_key: usize) {
        self.last_number = self.last_number.wrapping_add(1);
        if let Some(rule) = limiting(&topic) {
            *self.limited.get_or_insert_default().entry(rule).or_default() += 1;
        }
        self.list.push(Subscription { topic, member_key: narrow(member_key), number: self.last_number });
    }

    /// Returns the number of the subscription to a topic.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.list.get(name).map(|s| s.number)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Subscription> {
        let removed = self.list.remove(name)?;
        if let Some(rule) = limiting(&removed.topic)
            && let Some(limited) = &mut self.limited
            && let Some(count) = limited.get_mut(&rule)
        {
            *count -= 1;
            if *count == 0 {
                limited.remove(&rule);
                if limited.is_empty() {
                    self.limited = None;
                }
            }
        }
        Some(removed)
    }

    /// Returns the number of subscriptions to topics of a rule that limits them.
    pub(crate) fn count_of(&self, rule: RuleId) -> usize {
        self.limited.as_ref().and_then(|limited| limited.get(&rule)).copied().unwrap_or_default()
    }

    /// Stops delivery while the connection closes. It stays subscribed until its last hook is done.
    pub(crate) fn retire(&self) {
        for subscription in self.list.iter() {
            subscription.topic.retire(subscription.member_key());
        }
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Takes all subscriptions at the end of the connection, and refuses new ones.
    pub(crate) fn end(&mut self) -> impl Iterator<Item = Subscription> + use<> {
        self.ended = true;
        self.limited = None;
        self.list.take()
    }
}

impl<D: ?Sized> ConnInner<D> {
    pub(crate) fn is_subscribed(&self, topic: &str) -> bool {
        // Runs application code, so nothing is locked yet.
        let name = self.hub().name(topic);
        self.subscriptions.lock().contains(&name)
    }

    /// Notes that the subscriber's key in a topic changes. Returns `false` if that is impossible
    /// now, so that the key must not change.
    ///
    /// Does not wait for the lock of the subscriptions: the caller holds the topic's lock, which
    /// comes after it in the lock order.
    pub(crate) fn move_subscription<M>(&self, topic: &fanout::Topic<M>, from: usize, to: usize) -> bool
    where
        M: ?Sized + Subscriber,
    {
        let Some(mut subscriptions) = self.subscriptions.try_lock() else { return false };
        match subscriptions.list.get_mut(topic.name()) {
            Some(subscription)
                if std::ptr::addr_eq(&raw const *subscription.topic, topic) && subscription.member_key() == from =>
            {
                subscription.member_key = narrow(to);
                true
            }
            _ => false,
        }
    }
}
