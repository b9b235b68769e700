//! The subscribed channels.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::AbortHandle;
use switchboard_core::{adapter, broker::Channel};

use crate::subject::{PARTITIONS, partition};

/// The subscription to a channel, from the call of `subscribe` to that of `unsubscribe`.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) channel: Channel,
    pub(crate) subject: String,
    /// If its messages come by the wildcard of its partition, that partition.
    pub(crate) wildcard: Option<u16>,
    stage: Mutex<Stage>,
}

#[derive(Debug)]
enum Stage {
    /// It has had no stream yet.
    Detached,
    /// What ends its stream, and the link to which that belongs.
    Attached(AbortHandle, u64),
    Ended,
}

impl Subscription {
    pub(crate) fn new(channel: Channel, subject: String, wildcard: Option<u16>) -> Self {
        Self { channel, subject, wildcard, stage: Mutex::new(Stage::Detached) }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what ends its stream. At once, if it has ended already.
    pub(crate) fn attach(&self, stream: AbortHandle, link: u64) {
        let mut stage = self.lock();
        if matches!(*stage, Stage::Ended) {
            stream.abort();
        } else {
            *stage = Stage::Attached(stream, link);
        }
    }

    /// Whether it has a stream on this link.
    pub(crate) fn is_attached(&self, link: u64) -> bool {
        matches!(*self.lock(), Stage::Attached(_, of) if of == link)
    }

    /// From now on its messages are not delivered any more.
    pub(crate) fn end(&self) {
        if let Stage::Attached(stream, _) = std::mem::replace(&mut *self.lock(), Stage::Ended) {
            stream.abort();
        }
    }
}

impl adapter::Subscription for Subscription {
    fn channel(&self) -> &Channel {
        &self.channel
    }

    fn is_active(&self) -> bool {
        !matches!(*self.lock(), Stage::Ended)
    }
}

/// All subscriptions, by their subject.
///
/// A subscription takes about 5 KB in the client. So beyond a number of them, channels are heard by the wildcards of their
/// partitions, and what else comes by these is ignored.
#[derive(Debug)]
pub(crate) struct Table {
    subscriptions: HashMap<String, Arc<Subscription>>,
    max_exact: usize,
    exact: usize,
    /// How many subscriptions need the wildcard of each partition.
    by_wildcard: Vec<usize>,
}

impl Table {
    pub(crate) fn new(max_exact: usize) -> Self {
        let by_wildcard = vec![0; usize::from(PARTITIONS)];
        Self { subscriptions: HashMap::new(), max_exact, exact: 0, by_wildcard }
    }

    /// Returns the subscription to a channel, and whether it is new.
    pub(crate) fn subscribe(&mut self, channel: &Channel, text: &str, subject: &str) -> (Arc<Subscription>, bool) {
        if let Some(subscription) = self.subscriptions.get(subject) {
            return (Arc::clone(subscription), false);
        }
        let wildcard = (self.exact >= self.max_exact).then(|| partition(text));
        match wildcard {
            Some(partition) => self.by_wildcard[usize::from(partition)] += 1,
            None => self.exact += 1,
        }
        let subscription = Arc::new(Subscription::new(channel.clone(), subject.to_owned(), wildcard));
        self.subscriptions.insert(subject.to_owned(), Arc::clone(&subscription));
        (subscription, true)
    }

    /// Returns the subscription whose messages come by the wildcard of its partition.
    pub(crate) fn find_by_wildcard(&self, subject: &str) -> Option<&Arc<Subscription>> {
        self.subscriptions.get(subject).filter(|subscription| subscription.wildcard.is_some())
    }

    pub(crate) fn needs_wildcard(&self, partition: u16) -> bool {
        self.by_wildcard[usize::from(partition)] > 0
    }

    /// Ends the subscription with a subject, and returns it if there was one.
    pub(crate) fn unsubscribe(&mut self, subject: &str) -> Option<Arc<Subscription>> {
        let subscription = self.subscriptions.remove(subject)?;
        subscription.end();
        match subscription.wildcard {
            Some(partition) => self.by_wildcard[usize::from(partition)] -= 1,
            None => self.exact -= 1,
        }
        Some(subscription)
    }

    /// Ends this subscription, and returns whether it was there: the channel may have another one by now.
    pub(crate) fn withdraw(&mut self, subscription: &Arc<Subscription>) -> bool {
        let present = self.subscriptions.get(&subscription.subject);
        present.is_some_and(|present| Arc::ptr_eq(present, subscription))
            && self.unsubscribe(&subscription.subject).is_some()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Subscription>> {
        self.subscriptions.values().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.subscriptions.values().for_each(|subscription| subscription.end());
        self.subscriptions.clear();
        self.by_wildcard.fill(0);
        self.exact = 0;
    }
}

#[cfg(test)]
mod tests {
    use switchboard_core::adapter::Subscription as _;

    use super::*;

    fn subscribe(table: &mut Table, name: &str) -> (Arc<Subscription>, bool) {
        table.subscribe(&Channel::topic(name).unwrap(), &format!("t:{name}"), name)
    }

    #[test]
    fn a_later_subscription_is_not_withdrawn_by_an_earlier_one() {
        let mut table = Table::new(10);
        let (first, is_new) = subscribe(&mut table, "a");
        assert!(is_new && !subscribe(&mut table, "a").1);
        assert!(table.unsubscribe("a").is_some() && !first.is_active());
        let (second, _) = subscribe(&mut table, "a");
        assert!(!table.withdraw(&first));
        assert!(second.is_active() && table.all().len() == 1);
        assert!(table.withdraw(&second));
        assert!(!second.is_active() && table.all().is_empty());
    }

    #[test]
    fn beyond_the_limit_channels_need_the_wildcard_of_their_partition() {
        let mut table = Table::new(1);
        let (exact, _) = subscribe(&mut table, "a");
        let (other, _) = subscribe(&mut table, "b");
        assert_eq!((exact.wildcard, other.wildcard), (None, Some(partition("t:b"))));
        assert!(table.find_by_wildcard("a").is_none() && table.find_by_wildcard("b").is_some());
        assert!(table.needs_wildcard(partition("t:b")) && !table.needs_wildcard(partition("t:a")));
        table.unsubscribe("a");
        assert_eq!(subscribe(&mut table, "c").0.wildcard, None, "there is room again");
        table.unsubscribe("b");
        assert!(!table.needs_wildcard(partition("t:b")));
    }
}
