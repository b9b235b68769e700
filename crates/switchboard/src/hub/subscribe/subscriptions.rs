//! What one connection is subscribed to.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use crate::{
    conn::ConnInner,
    fanout::{self, Subscriber},
    hub::{
        Topic,
        registry::{Keyed, Ordered},
        topics::RuleId,
    },
};

/// In the order of subscribing.
#[derive(Default)]
pub(crate) struct Subscriptions {
    list: Ordered<Subscription>,
    ended: bool,
    /// How often something was subscribed to, which is the number of the last one.
    count: u32,
    /// The subscriptions to topics of each rule that limits them.
    #[expect(clippy::box_collection, reason = "few connections have such topics")]
    limited: Option<Box<HashMap<RuleId, usize>>>,
}

pub(crate) struct Subscription {
    pub(crate) topic: Arc<Topic>,
    /// In 32 bits, as more members have no room anywhere.
    key: u32,
    /// Unlike that of one to the same topic before it.
    number: u32,
}

/// A topic, by its name.
pub(crate) struct ByName(Arc<Topic>);

impl Borrow<str> for ByName {
    fn borrow(&self) -> &str {
        self.0.name()
    }
}

impl Hash for ByName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name().hash(state);
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl Eq for ByName {}

impl Keyed for Subscription {
    type Name = str;
    type Key = ByName;

    fn name(&self) -> &str {
        self.topic.name()
    }

    fn key(&self) -> ByName {
        ByName(Arc::clone(&self.topic))
    }
}

impl Subscription {
    /// The place in the topic.
    pub(crate) fn place(&self) -> usize {
        self.key as usize
    }
}

fn narrow(key: usize) -> u32 {
    u32::try_from(key).unwrap_or(u32::MAX)
}

impl Subscriptions {
    pub(crate) fn names(&self) -> Vec<String> {
        self.iter_names().map(str::to_owned).collect()
    }

    pub(crate) fn iter_names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|s| s.topic.name())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.list.contains(name)
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds one, which counts for this rule.
    pub(crate) fn push(&mut self, topic: Arc<Topic>, key: usize, limited_by: Option<RuleId>) {
        self.count = self.count.wrapping_add(1);
        self.list.push(Subscription { topic, key: narrow(key), number: self.count });
        if let Some(rule) = limited_by {
            *self.limited.get_or_insert_default().entry(rule).or_default() += 1;
        }
    }

    /// Which subscription to a topic it is, of those that there have been.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.list.get(name).map(|s| s.number)
    }

    /// Removes one, which counted for this rule.
    pub(crate) fn remove(&mut self, name: &str, limited_by: Option<RuleId>) -> Option<Subscription> {
        let removed = self.list.remove(name)?;
        if let Some(rule) = limited_by
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

    /// How many there are to topics of a rule that limits them.
    pub(crate) fn count_of(&self, rule: RuleId) -> usize {
        self.limited.as_ref().and_then(|limited| limited.get(&rule)).copied().unwrap_or_default()
    }

    /// The connection is being closed: it stays subscribed until its last hook is done, but gets
    /// nothing any more.
    pub(crate) fn retire(&self) {
        for subscription in self.list.iter() {
            subscription.topic.retire(subscription.place());
        }
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// The connection ends: takes all, and lets none be added.
    pub(crate) fn end(&mut self) -> impl Iterator<Item = Subscription> + use<> {
        self.ended = true;
        self.limited = None;
        self.list.take()
    }
}

impl<D: ?Sized> ConnInner<D> {
    /// Its place in a topic is going to be another. `false` if that cannot be noted: it must not move.
    ///
    /// The topic is locked, which comes behind the subscriptions in the order of locks: so this does
    /// not wait for those.
    pub(crate) fn move_subscription<M>(&self, topic: &fanout::Topic<M>, from: usize, to: usize) -> bool
    where
        M: ?Sized + Subscriber,
    {
        let Some(mut subscriptions) = self.subscriptions.try_lock() else { return false };
        match subscriptions.list.get_mut(topic.name()) {
            Some(subscription)
                if std::ptr::addr_eq(&raw const *subscription.topic, topic) && subscription.place() == from =>
            {
                subscription.key = narrow(to);
                true
            }
            _ => false,
        }
    }
}
