//! The subscribed channels.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::AbortHandle;
use switchboard_core::broker::Channel;

/// The subscription to a channel, from the call of `subscribe` to that of `unsubscribe`.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) channel: Channel,
    stage: Mutex<Stage>,
}

#[derive(Debug)]
enum Stage {
    /// It has no stream on the present link.
    Detached,
    Attached(AbortHandle),
    Ended,
}

impl Subscription {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel, stage: Mutex::new(Stage::Detached) }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_active(&self) -> bool {
        !matches!(*self.lock(), Stage::Ended)
    }

    /// Sets what ends its stream. At once, if it has ended already.
    pub(crate) fn attach(&self, stream: AbortHandle) {
        let mut stage = self.lock();
        if matches!(*stage, Stage::Ended) {
            stream.abort();
        } else {
            *stage = Stage::Attached(stream);
        }
    }

    /// From now on its messages are not delivered any more.
    pub(crate) fn end(&self) {
        if let Stage::Attached(stream) = std::mem::replace(&mut *self.lock(), Stage::Ended) {
            stream.abort();
        }
    }
}

/// All subscriptions, by their channel.
#[derive(Debug, Default)]
pub(crate) struct Table(HashMap<Channel, Arc<Subscription>>);

impl Table {
    /// Returns the subscription to a channel, and whether it is new.
    pub(crate) fn subscribe(&mut self, channel: &Channel) -> (Arc<Subscription>, bool) {
        if let Some(subscription) = self.0.get(channel) {
            return (Arc::clone(subscription), false);
        }
        let subscription = Arc::new(Subscription::new(channel.clone()));
        self.0.insert(channel.clone(), Arc::clone(&subscription));
        (subscription, true)
    }

    /// Ends the subscription to a channel, and returns whether there was one.
    pub(crate) fn unsubscribe(&mut self, channel: &Channel) -> bool {
        self.0.remove(channel).inspect(|subscription| subscription.end()).is_some()
    }

    /// Ends this subscription, unless the channel has another one by now.
    pub(crate) fn withdraw(&mut self, subscription: &Arc<Subscription>) {
        if self.0.get(&subscription.channel).is_some_and(|present| Arc::ptr_eq(present, subscription)) {
            self.unsubscribe(&subscription.channel);
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<Subscription>> {
        self.0.values().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.values().for_each(|subscription| subscription.end());
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_subscription_is_not_withdrawn_by_an_earlier_one() {
        let mut table = Table::default();
        let channel = Channel::topic("a").unwrap();
        let (first, is_new) = table.subscribe(&channel);
        assert!(is_new && !table.subscribe(&channel).1);
        assert!(table.unsubscribe(&channel) && !first.is_active());
        let (second, _) = table.subscribe(&channel);
        table.withdraw(&first);
        assert!(second.is_active() && table.all().len() == 1);
        table.withdraw(&second);
        assert!(!second.is_active() && table.all().is_empty());
    }
}
