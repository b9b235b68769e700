//! What one connection is subscribed to.

use std::sync::Arc;

use super::topic::Topic;
use crate::conn::AnyConn;

/// Few, so a list: it costs nothing while empty and keeps the order.
#[derive(Default)]
pub(crate) struct Subscriptions {
    list: Vec<Subscription>,
    ended: bool,
    /// How often something was subscribed to, which is the number of the last one.
    count: u32,
}

pub(crate) struct Subscription {
    pub(super) topic: Arc<Topic>,
    /// In 32 bits, as more members have no room anywhere.
    key: u32,
    /// Unlike that of one to the same topic before it.
    number: u32,
}

impl Subscription {
    /// The place in the topic.
    pub(super) fn key(&self) -> usize {
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

    pub(super) fn iter_names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|s| s.topic.name())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.list.iter().any(|s| s.topic.name() == name)
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn push(&mut self, topic: Arc<Topic>, key: usize) {
        self.count = self.count.wrapping_add(1);
        self.list.push(Subscription { topic, key: narrow(key), number: self.count });
    }

    /// Which subscription to a topic it is, of those that there have been.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.list.iter().find(|s| s.topic.name() == name).map(|s| s.number)
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Subscription> {
        let index = self.list.iter().position(|s| s.topic.name() == name)?;
        Some(self.list.remove(index))
    }

    /// The connection is being closed: it stays subscribed until its last hook is done, but gets
    /// nothing any more.
    pub(crate) fn retire(&self) {
        for subscription in &self.list {
            subscription.topic.retire(subscription.key());
        }
    }

    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The connection ends: takes all, and lets none be added.
    pub(super) fn end(&mut self) -> Vec<Subscription> {
        self.ended = true;
        std::mem::take(&mut self.list)
    }
}

impl AnyConn {
    /// Its place in a topic is going to be another. `false` if that cannot be noted: it must not move.
    ///
    /// The topic is locked, which comes behind the subscriptions in the order of locks: so this does
    /// not wait for those.
    pub(super) fn moved(&self, topic: &Topic, from: usize, to: usize) -> bool {
        let Some(mut subscriptions) = self.subscriptions.try_lock() else { return false };
        let subscription = subscriptions.list.iter_mut().find(|s| std::ptr::eq(&*s.topic, topic));
        match subscription {
            Some(subscription) if subscription.key() == from => {
                subscription.key = narrow(to);
                true
            }
            _ => false,
        }
    }
}
