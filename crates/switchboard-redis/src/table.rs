//! The subscribed channels.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use switchboard_core::{adapter, broker::Channel};

/// The subscription to a channel, from the call of `subscribe` to that of `unsubscribe`.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) channel: Channel,
    pub(crate) partition: usize,
    is_active: AtomicBool,
}

impl Subscription {
    pub(crate) fn new(channel: Channel, partition: usize) -> Self {
        Self { channel, partition, is_active: AtomicBool::new(true) }
    }

    /// From now on its messages are not delivered any more.
    pub(crate) fn end(&self) {
        self.is_active.store(false, Ordering::Release);
    }
}

impl adapter::Subscription for Subscription {
    fn channel(&self) -> &Channel {
        &self.channel
    }

    fn is_active(&self) -> bool {
        self.is_active.load(Ordering::Acquire)
    }
}

/// All subscriptions, by the text of their channel.
#[derive(Debug)]
pub(crate) struct Table {
    subscriptions: HashMap<Box<str>, Arc<Subscription>>,
    /// How many subscriptions each partition has.
    counts: Vec<usize>,
}

impl Table {
    pub(crate) fn new(partitions: usize) -> Self {
        Self { subscriptions: HashMap::new(), counts: vec![0; partitions] }
    }

    /// Returns the subscription to a channel, and whether it is new.
    pub(crate) fn subscribe(&mut self, text: &str, channel: &Channel, partition: usize) -> (Arc<Subscription>, bool) {
        if let Some(subscription) = self.subscriptions.get(text) {
            return (Arc::clone(subscription), false);
        }
        let subscription = Arc::new(Subscription::new(channel.clone(), partition));
        self.subscriptions.insert(text.into(), Arc::clone(&subscription));
        self.counts[partition] += 1;
        (subscription, true)
    }

    pub(crate) fn get(&self, text: &str) -> Option<&Arc<Subscription>> {
        self.subscriptions.get(text)
    }

    /// Ends the subscription to a channel, and returns whether there was one.
    pub(crate) fn unsubscribe(&mut self, text: &str) -> bool {
        let Some(removed) = self.subscriptions.remove(text) else { return false };
        removed.end();
        self.counts[removed.partition] -= 1;
        true
    }

    /// Ends this subscription, unless the channel has another one by now.
    pub(crate) fn withdraw(&mut self, text: &str, subscription: &Arc<Subscription>) {
        if self.subscriptions.get(text).is_some_and(|present| Arc::ptr_eq(present, subscription)) {
            self.unsubscribe(text);
        }
    }

    pub(crate) fn has_partition(&self, partition: usize) -> bool {
        self.counts[partition] > 0
    }

    /// Returns the channels of these partitions.
    pub(crate) fn channels(&self, mut of: impl FnMut(usize) -> bool) -> Vec<Channel> {
        let chosen = self.subscriptions.values().filter(|subscription| of(subscription.partition));
        chosen.map(|subscription| subscription.channel.clone()).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.subscriptions.values().for_each(|subscription| subscription.end());
        self.subscriptions.clear();
        self.counts.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use switchboard_core::adapter::Subscription as _;

    use super::*;

    #[test]
    fn a_later_subscription_is_not_withdrawn_by_an_earlier_one() {
        let mut table = Table::new(4);
        let channel = Channel::topic("a").unwrap();
        let (first, is_new) = table.subscribe("t:a", &channel, 3);
        assert!(is_new && !table.subscribe("t:a", &channel, 3).1);
        assert!(table.unsubscribe("t:a") && !first.is_active());
        let (second, _) = table.subscribe("t:a", &channel, 3);
        table.withdraw("t:a", &first);
        assert!(second.is_active() && table.has_partition(3));
        assert_eq!(table.channels(|partition| partition == 3), [channel]);
        table.withdraw("t:a", &second);
        assert!(!second.is_active() && !table.has_partition(3));
    }
}
