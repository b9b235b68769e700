//! Which channels this node is subscribed to at the broker, and for how long.

use std::time::Duration;

use switchboard_core::broker::{BrokerErrorKind, Channel};

use crate::{
    ClusterConfig, ClusterError, Join, JoinId, OperationId, Output,
    deadlines::Deadlines,
    hash::{Seeded, SeededMap},
    operations::Operations,
};

/// How long after a failure the subscription of a channel that is held is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Holders of channels, and the subscriptions that they need.
///
/// A channel goes `Idle → Joining → Joined → Leaving`. Concurrent joins share one call of the broker. A channel that
/// nothing holds any more lingers before it is left, and a join while it is being left subscribes anew: the broker
/// executes the calls for one channel in order.
#[derive(Debug)]
pub(crate) struct Interest {
    channels: SeededMap<Channel, Held>,
    lingering: Deadlines<Channel>,
    failed: Deadlines<Channel>,
    waiting: usize,
    next_join: u64,
    max_channels: usize,
    max_waiting: usize,
    linger: Duration,
}

#[derive(Debug)]
struct Held {
    link: Link,
    holders: usize,
    /// Joins to be told of the outcome. Each is a holder, too.
    waiting: Vec<JoinId>,
    /// Whether a failed subscription is tried again, because something holds the channel without waiting.
    is_permanent: bool,
    linger_until: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Joining(OperationId),
    Joined,
    Leaving(OperationId),
    /// To be tried again.
    Failed,
}

/// What the answer to a subscription has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscribed {
    Joined,
    Failed,
    /// The answer to a call that another has replaced.
    Stale,
}

impl Interest {
    pub(crate) fn new(config: &ClusterConfig, hasher: Seeded) -> Self {
        Self {
            channels: SeededMap::with_hasher(hasher),
            lingering: Deadlines::new(config.linger),
            failed: Deadlines::new(RETRY),
            waiting: 0,
            next_join: 0,
            max_channels: config.max_channels,
            max_waiting: config.max_waiting_joins,
            linger: config.linger,
        }
    }

    /// Holds a channel until [`leave`](Self::leave), and says whether the caller must wait.
    pub(crate) fn join(
        &mut self,
        channel: &Channel,
        operations: &mut Operations,
        now: Duration,
    ) -> Result<Join, ClusterError> {
        if let Some(held) = self.channels.get_mut(channel)
            && held.link == Link::Joined
        {
            held.holders += 1;
            held.linger_until = None;
            return Ok(Join::Ready);
        }
        if self.waiting >= self.max_waiting {
            return Err(ClusterError::TooManyJoins { limit: self.max_waiting });
        }
        let held = self.subscribing(channel, operations, now)?;
        held.holders += 1;
        self.next_join += 1;
        let join = JoinId(self.next_join);
        if let Some(held) = self.channels.get_mut(channel) {
            held.waiting.push(join);
        }
        self.waiting += 1;
        Ok(Join::Waiting(join))
    }

    /// Holds a channel until [`leave`](Self::leave). The subscription is tried until it succeeds.
    pub(crate) fn hold(
        &mut self,
        channel: &Channel,
        operations: &mut Operations,
        now: Duration,
    ) -> Result<(), ClusterError> {
        let held = self.subscribing(channel, operations, now)?;
        held.holders += 1;
        held.is_permanent = true;
        held.linger_until = None;
        Ok(())
    }

    /// Returns a channel that is joined, or being joined from now on.
    fn subscribing(
        &mut self,
        channel: &Channel,
        operations: &mut Operations,
        now: Duration,
    ) -> Result<&mut Held, ClusterError> {
        if self.channels.len() >= self.max_channels && !self.channels.contains_key(channel) {
            return Err(ClusterError::TooManyChannels { limit: self.max_channels });
        }
        let held = self.channels.entry(channel.clone()).or_insert_with(|| Held {
            link: Link::Failed,
            holders: 0,
            waiting: Vec::new(),
            is_permanent: false,
            linger_until: None,
        });
        if matches!(held.link, Link::Failed | Link::Leaving(_)) {
            held.link = Link::Joining(operations.subscribe(channel, now));
        }
        Ok(held)
    }

    /// Releases one hold.
    pub(crate) fn leave(&mut self, channel: &Channel, now: Duration) {
        let Some(held) = self.channels.get_mut(channel) else { return };
        held.holders = held.holders.saturating_sub(1);
        if held.holders > 0 {
            return;
        }
        held.is_permanent = false;
        match held.link {
            Link::Joined => self.start_lingering(channel, now),
            Link::Failed => _ = self.channels.remove(channel),
            Link::Joining(_) | Link::Leaving(_) => {}
        }
    }

    /// Gives up waiting: releases the hold of a join that was not answered yet.
    pub(crate) fn cancel(&mut self, channel: &Channel, join: JoinId, now: Duration) {
        let Some(held) = self.channels.get_mut(channel) else { return };
        let before = held.waiting.len();
        held.waiting.retain(|waiting| *waiting != join);
        if held.waiting.len() < before {
            self.waiting -= 1;
            self.leave(channel, now);
        }
    }

    fn start_lingering(&mut self, channel: &Channel, now: Duration) {
        if let Some(held) = self.channels.get_mut(channel) {
            held.linger_until = Some(now.saturating_add(self.linger));
            self.lingering.start(channel.clone(), now);
            let channels = &self.channels;
            self.lingering.shrink(channels.len(), |channel| {
                channels.get(channel).is_some_and(|held| held.linger_until.is_some())
            });
        }
    }

    /// Takes the answer to a subscription, and tells all who waited for it.
    pub(crate) fn subscribed(
        &mut self,
        channel: &Channel,
        operation: OperationId,
        result: Result<(), BrokerErrorKind>,
        operations: &mut Operations,
        now: Duration,
    ) -> Subscribed {
        let Some(held) = self.channels.get_mut(channel) else { return Subscribed::Stale };
        if held.link != Link::Joining(operation) {
            return Subscribed::Stale;
        }
        let waiting = std::mem::take(&mut held.waiting);
        self.waiting -= waiting.len();
        if result.is_err() {
            held.holders = held.holders.saturating_sub(waiting.len());
        }
        let result = result.map_err(ClusterError::Broker);
        waiting.into_iter().for_each(|join| operations.outputs.push_back(Output::Joined { join, result }));
        if result.is_ok() {
            held.link = Link::Joined;
            if held.holders == 0 {
                self.start_lingering(channel, now);
            }
            return Subscribed::Joined;
        }
        if result.is_err_and(ClusterError::is_unknown) {
            operations.unsubscribe(channel, now);
        }
        if held.holders == 0 {
            self.channels.remove(channel);
        } else {
            held.link = Link::Failed;
            self.failed.start(channel.clone(), now);
        }
        Subscribed::Failed
    }

    /// Takes the answer to the end of a subscription.
    pub(crate) fn unsubscribed(&mut self, channel: &Channel, operation: OperationId) {
        if self.channels.get(channel).is_some_and(|held| held.link == Link::Leaving(operation)) {
            self.channels.remove(channel);
        }
    }

    /// Leaves the channels that have lingered long enough, tries failed ones again, and returns those that are left.
    pub(crate) fn tick(&mut self, operations: &mut Operations, now: Duration) -> Vec<Channel> {
        let mut left = Vec::new();
        while let Some(channel) = self.lingering.pop(now) {
            if let Some(held) = self.channels.get_mut(&channel)
                && held.link == Link::Joined
                && held.linger_until.is_some_and(|until| until <= now)
            {
                held.link = Link::Leaving(operations.unsubscribe(&channel, now));
                held.linger_until = None;
                left.push(channel);
            }
        }
        while let Some(channel) = self.failed.pop(now) {
            if let Some(held) = self.channels.get_mut(&channel)
                && held.link == Link::Failed
            {
                held.link = Link::Joining(operations.subscribe(&channel, now));
            }
        }
        left
    }

    /// Returns whether something holds the channel, or it is being left.
    pub(crate) fn is_known(&self, channel: &Channel) -> bool {
        self.channels.contains_key(channel)
    }

    pub(crate) fn is_joined(&self, channel: &Channel) -> bool {
        self.channels.get(channel).is_some_and(|held| held.link == Link::Joined)
    }

    /// Returns whether something holds the channel, if it is subscribed.
    pub(crate) fn joined_and_held(&self, channel: &Channel) -> Option<bool> {
        self.channels.get(channel).filter(|held| held.link == Link::Joined).map(|held| held.holders > 0)
    }

    /// Returns whether the channel is subscribed, and something holds it.
    pub(crate) fn is_held(&self, channel: &Channel) -> bool {
        self.joined_and_held(channel) == Some(true)
    }

    pub(crate) fn joined(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().filter(|(_, held)| held.link == Link::Joined).map(|(channel, _)| channel)
    }

    pub(crate) fn len(&self) -> usize {
        self.channels.len()
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        [self.lingering.next(), self.failed.next()].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
