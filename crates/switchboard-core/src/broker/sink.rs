//! What a broker reports to its node.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;

use super::Channel;

/// Takes what arrives from a [`Broker`](super::Broker).
///
/// **Neither method may block or wait**: both are called by the task that reads from the broker, and while they run,
/// nothing else is read. A sink puts a message into a bounded queue, and counts what does not fit.
pub trait BrokerSink: Send + Sync + 'static {
    /// Takes a message of a subscribed channel.
    fn message(&self, channel: &Channel, message: Bytes);

    /// Takes a change of the link. Its order relative to messages is that in which the adapter noticed them.
    fn link(&self, event: LinkEvent);
}

/// A change of the link between a node and its broker.
///
/// A link goes through `Connected`, `Disconnected`, `Connected`, `Restored`, and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkEvent {
    /// The link is up, for the first time or again: operations can succeed. Subscriptions from before a disconnection
    /// are not heard yet.
    Connected,
    /// The link is down: no subscription is heard, and operations fail.
    Disconnected {
        /// For operators, such as `connection reset by peer`.
        reason: Cow<'static, str>,
    },
    /// Some subscriptions are not heard until they are restored, although the link is up: for example because they move
    /// to another server.
    Interrupted(Channels),
    /// These subscriptions are heard again. What was published to them meanwhile is lost.
    ///
    /// After a reconnect, an adapter restores its channels in portions, and reports each as it is confirmed, or all at
    /// the end.
    Restored(Channels),
    /// Messages of these channels were dropped by the adapter or its client, because a queue was full. Their
    /// subscriptions go on.
    Dropped(Channels),
}

/// The channels that a [`LinkEvent`] concerns. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Channels {
    /// All subscribed channels.
    All,
    /// These.
    Some(Arc<[Channel]>),
}

impl Channels {
    /// Returns whether a channel is among them.
    #[must_use]
    pub fn contains(&self, channel: &Channel) -> bool {
        match self {
            Self::All => true,
            Self::Some(channels) => channels.contains(channel),
        }
    }
}

impl<const N: usize> From<[Channel; N]> for Channels {
    fn from(channels: [Channel; N]) -> Self {
        Self::Some(channels.into())
    }
}

impl From<Vec<Channel>> for Channels {
    fn from(channels: Vec<Channel>) -> Self {
        Self::Some(channels.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_an_event_concerns() {
        let [a, b] = ["a", "b"].map(|name| Channel::topic(name).unwrap());
        let some = Channels::from([a.clone()]);
        assert!(some.contains(&a) && !some.contains(&b));
        assert!(Channels::All.contains(&a) && Channels::All.contains(&b));
    }
}
