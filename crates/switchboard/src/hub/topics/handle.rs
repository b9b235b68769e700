//! Everything about one topic.

use std::{fmt, marker::PhantomData, time::Duration};

use switchboard_core::{AnyMessage, MemberOf, Message, MessageSet, Request};

use crate::{
    conn::ConnId,
    hub::{Batch, BatchOptions, CallAll, Hub, Members, Publish, Throttle, TopicName, TopicOf},
};

/// A topic of a hub: [`Hub::topic`].
///
/// A handle is only a name and a hub; a topic exists while it has subscribers. Methods that are async
/// hold over all nodes of a hub; those that say `local` are about this node's connections.
///
/// ```
/// use switchboard::{ConnId, Hub};
///
/// async fn expel(hub: &Hub, id: ConnId) {
///     let room = hub.topic("room:1");
///     if room.remove(id).await {
///         println!("{} are left", room.subscriber_count().await);
///     }
/// }
/// # let _ = expel;
/// ```
pub struct TopicHandle<T, Out = AnyMessage> {
    hub: Hub,
    topic: T,
    out: PhantomData<fn(Out)>,
}

impl Hub {
    /// A topic of this name: a string or a [`Topic`](crate::Topic).
    pub fn topic<T: TopicName>(&self, topic: T) -> TopicHandle<T> {
        TopicHandle::new(self, topic)
    }
}

impl<T: TopicName, Out: MessageSet> TopicHandle<T, Out> {
    pub(crate) fn new(hub: &Hub, topic: T) -> Self {
        Self { hub: hub.clone(), topic, out: PhantomData }
    }

    /// The topic's name, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        self.topic.topic_name()
    }

    /// Publishes a message to the topic's subscribers, as [`Hub::publish`] does.
    pub fn publish<M>(&self, message: M) -> Publish
    where
        T: TopicOf<M>,
        M: Message<Meta = ()> + MemberOf<Out>,
    {
        self.hub.publish_from(self.name(), message, None, true)
    }

    /// Returns the number of subscribers. A connection that is being closed counts until its `on_close`
    /// hooks are done.
    #[expect(clippy::unused_async, reason = "other nodes will be asked")]
    pub async fn subscriber_count(&self) -> usize {
        self.local_subscriber_count()
    }

    /// Returns the number of subscribers that are connected to this node.
    #[must_use]
    pub fn local_subscriber_count(&self) -> usize {
        self.hub.find_topic(&self.hub.name(self.name())).map_or(0, |topic| topic.len())
    }

    /// Lists the subscribers that are connected to this node, in no order, without those that are being
    /// closed.
    ///
    /// They are taken from the topic in portions, and nothing is locked in between: one that joins or
    /// leaves meanwhile may be missing, and one that leaves and comes back may be listed twice.
    pub fn local_members(&self) -> Members {
        self.hub.local_members(self.name())
    }

    /// Ends a connection's subscription, as when it has lost the right to it. Nothing of the topic
    /// arrives after this returned, except what waited to be written before. `false` if it was not
    /// subscribed.
    ///
    /// If that subscription is being authorised at this moment, the application is asked again.
    #[expect(clippy::unused_async, reason = "other nodes will be told")]
    pub async fn remove(&self, conn: ConnId) -> bool {
        self.hub.remove_subscriber(&self.hub.name(self.name()), conn)
    }

    /// Asks again whether each subscriber may stay, with the rule of
    /// [`TopicOptions::authorize_subscribe`](crate::TopicOptions::authorize_subscribe), and removes those
    /// that it refuses or does not answer for in time. Returns how many were removed; 0 where there is
    /// no rule.
    ///
    /// An answer may take 900 ms, or
    /// [`authorize_timeout`](crate::TopicOptions::authorize_timeout) if that is less. 256 subscribers are
    /// asked about at once, and each is removed as soon as its answer is known. So a subscriber without
    /// the right is gone **within a second** of the call
    ///
    /// - in a topic with at most 256 subscribers, whatever the rule does;
    /// - in one with at most 256 × 900 ms / *t* subscribers where an answer takes *t*: 4600 with 50 ms,
    ///   23 000 with 10 ms.
    ///
    /// Larger topics take longer in proportion. All of this holds as far as the rule does not block the
    /// thread, and what it asks answers 256 questions at once.
    ///
    /// Subscriptions to the topic that are being authorised at this moment are asked about again, too.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has asked about some.
    pub async fn reauthorize(&self) -> usize {
        self.hub.reauthorize_subscribers(&self.hub.name(self.name())).await
    }

    /// Creates a handle that publishes at most one message per interval, always the latest. The topic's
    /// name is checked when something is published.
    #[must_use]
    pub fn throttle<M>(&self, interval: Duration) -> Throttle<M>
    where
        T: TopicOf<M>,
        M: Message<Meta = ()> + MemberOf<Out>,
    {
        Throttle::new(&self.hub, self.name(), interval)
    }

    /// Creates a handle that collects items and publishes them as one message, which `make` makes. The
    /// topic's name is checked when an item is pushed.
    pub fn batch<I, M>(&self, options: BatchOptions, make: impl Fn(Vec<I>) -> M + Send + Sync + 'static) -> Batch<I, M>
    where
        T: TopicOf<M>,
        I: Send + 'static,
        M: Message<Meta = ()> + MemberOf<Out>,
    {
        Batch::new(&self.hub, self.name(), options, make)
    }

    /// Sends a request to every subscriber and collects the answers that come in time.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard::{Hub, ws_message, ws_rpc};
    ///
    /// #[ws_message("READY")]
    /// struct Ready {
    ///     yes: bool,
    /// }
    ///
    /// #[ws_rpc("ASK_READY", response = Ready)]
    /// struct AskReady;
    ///
    /// async fn all_ready(hub: &Hub) -> bool {
    ///     let answers = hub.topic("game:1").call_all(AskReady).timeout(Duration::from_secs(3)).await;
    ///     answers.iter().all(|(_, answer)| answer.as_ref().is_ok_and(|ready| ready.yes))
    /// }
    /// # let _ = all_ready;
    /// ```
    pub fn call_all<R: Request<Meta = ()> + MemberOf<Out>>(&self, request: R) -> CallAll<R> {
        CallAll::new(self.local_members().map(|conn| conn.inner().clone()).collect(), request)
    }
}

impl<T: TopicName, Out> fmt::Debug for TopicHandle<T, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicHandle").field("topic", &self.topic.topic_name()).finish_non_exhaustive()
    }
}
