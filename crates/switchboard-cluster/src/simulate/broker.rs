//! The simulated broker: subscriptions of connections, and nothing that outlives it.

use std::collections::{BTreeMap, BTreeSet};

use switchboard_core::broker::Channel;

use super::event::LinkNumber;

#[derive(Debug, Default)]
pub(super) struct SimulatedBroker {
    subscriptions: BTreeMap<Channel, BTreeSet<LinkNumber>>,
    links: BTreeSet<LinkNumber>,
    pub(super) is_down: bool,
    /// Takes requests, and does nothing with them.
    pub(super) is_silent: bool,
}

impl SimulatedBroker {
    pub(super) fn accept(&mut self, link: LinkNumber) {
        self.links.insert(link);
    }

    pub(super) fn has(&self, link: LinkNumber) -> bool {
        self.links.contains(&link)
    }

    pub(super) fn remove(&mut self, link: LinkNumber) {
        self.links.remove(&link);
        self.subscriptions.retain(|_, links| {
            links.remove(&link);
            !links.is_empty()
        });
    }

    pub(super) fn clear(&mut self) {
        self.links.clear();
        self.subscriptions.clear();
    }

    pub(super) fn subscribe(&mut self, link: LinkNumber, channel: Channel) {
        self.subscriptions.entry(channel).or_default().insert(link);
    }

    pub(super) fn unsubscribe(&mut self, link: LinkNumber, channel: &Channel) {
        if let Some(links) = self.subscriptions.get_mut(channel) {
            links.remove(&link);
            if links.is_empty() {
                self.subscriptions.remove(channel);
            }
        }
    }

    pub(super) fn is_subscribed(&self, link: LinkNumber, channel: &Channel) -> bool {
        self.subscriptions.get(channel).is_some_and(|links| links.contains(&link))
    }

    pub(super) fn subscribers(&self, channel: &Channel) -> Vec<LinkNumber> {
        self.subscriptions.get(channel).into_iter().flatten().copied().collect()
    }
}
