//! The handle to a topic.

use std::{fmt, marker::PhantomData, time::Duration};

use switchboard_core::{AnyMessage, MemberOf, Message, MessageSet, Request};

use crate::{
    conn::ConnId,
    hub::{Batch, BatchOptions, CallAll, Gathered, Hub, Members, Publish, Throttle, TopicName, TopicOf, calls::Target},
};

/// A handle to a topic: [`Hub::topic`].
///
/// A topic exists while it has subscribers; the handle is only its name and a hub. Async methods
/// cover all nodes of the hub, `local` methods only the connections to this node.
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

impl<T: TopicName, Out: MessageSet> TopicHandle<T, Out> {
    pub(crate) fn new(hub: &Hub, topic: T) -> Self {
        Self { hub: hub.clone(), topic, out: PhantomData }
    }

    /// Returns the topic's name as it was given.
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

    /// Returns the number of subscribers. A closing connection counts until its `on_close` hooks
    /// are done.
    ///
    /// With a [broker](crate::HubBuilder::broker), all nodes are asked, and those that have not answered within 300 ms are
    /// left out: see [`Gathered::is_complete`].
    pub async fn subscriber_count(&self) -> Gathered<usize> {
        match &self.hub.0.link {
            Some(link) => link.subscriber_count(&self.hub.name(self.name())).await,
            None => Gathered::local(self.local_subscriber_count()),
        }
    }

    /// Returns the number of subscribers connected to this node.
    #[must_use]
    pub fn local_subscriber_count(&self) -> usize {
        self.hub.find_topic(&self.hub.name(self.name())).map_or(0, |topic| topic.len())
    }

    /// Iterates over the subscribers connected to this node, in no particular order. Closing
    /// connections are skipped.
    ///
    /// Subscribers are read in chunks, without a lock in between. One that subscribes or
    /// unsubscribes meanwhile may be missing; one that does both may appear twice.
    pub fn local_members(&self) -> Members {
        self.hub.local_members(self.name())
    }

    /// Ends a connection's subscription, for example after it has lost the right to it. Returns
    /// `false` if it was not subscribed, or is connected to another node that has not answered
    /// within 300 ms.
    ///
    /// No message of the topic is queued after this has returned; messages queued before still
    /// arrive. A subscription that is being authorised at the time is authorised again.
    pub async fn remove(&self, conn: ConnId) -> bool {
        let topic = self.hub.name(self.name());
        if self.hub.remove_subscriber(&topic, conn) {
            return true;
        }
        match &self.hub.0.link {
            // A connection of this node is on no other.
            Some(link) if self.hub.0.connection(conn).is_none() => link.remove_subscriber(&topic, conn).await,
            _ => false,
        }
    }

    /// Authorises all subscribers again with
    /// [`TopicOptions::authorize_subscribe`](crate::TopicOptions::authorize_subscribe), and removes
    /// those that are refused or time out. Returns the number of removed subscribers; 0 if the
    /// topic has no such rule.
    ///
    /// The deadline of each authorization is 900 ms, or
    /// [`authorize_timeout`](crate::TopicOptions::authorize_timeout) if that is less. 256 run
    /// concurrently, and a refused subscriber is removed at once. A subscriber without the right is
    /// therefore removed **within a second** of the call
    ///
    /// - in a topic with at most 256 subscribers, however long the rule takes;
    /// - in a topic with at most 256 × 900 ms / *t* subscribers, if the rule takes *t*: 4600 with
    ///   50 ms, 23 000 with 10 ms.
    ///
    /// Larger topics take proportionally longer. This assumes that the rule does not block the
    /// thread and that its backend serves 256 queries at once.
    ///
    /// Subscriptions that are being authorised at the time are authorised again.
    ///
    /// With a [broker](crate::HubBuilder::broker), all nodes do so at the same time. Those that
    /// have not finished within 300 ms go on, but are not counted: see [`Gathered::is_complete`].
    ///
    /// # Cancel safety
    ///
    /// If dropped before it is ready, only some subscribers were checked.
    pub async fn reauthorize(&self) -> Gathered<usize> {
        let topic = self.hub.name(self.name());
        match &self.hub.0.link {
            Some(link) => link.reauthorize_topic(&topic).await,
            None => Gathered::local(self.hub.reauthorize_subscribers(&topic).await),
        }
    }

    /// Creates a [`Throttle`], which publishes the latest message at most once per interval. The
    /// topic's name is checked when a message is published.
    #[must_use]
    pub fn throttle<M>(&self, interval: Duration) -> Throttle<M>
    where
        T: TopicOf<M>,
        M: Message<Meta = ()> + MemberOf<Out>,
    {
        Throttle::new(&self.hub, self.name(), interval)
    }

    /// Creates a [`Batch`], which collects items and publishes them in one message, built by
    /// `make`. The topic's name is checked when an item is pushed.
    pub fn batch<I, M>(&self, options: BatchOptions, make: impl Fn(Vec<I>) -> M + Send + Sync + 'static) -> Batch<I, M>
    where
        T: TopicOf<M>,
        I: Send + 'static,
        M: Message<Meta = ()> + MemberOf<Out>,
    {
        Batch::new(&self.hub, self.name(), options, make)
    }

    /// Sends a request to every subscriber, on all nodes, and collects the responses. The result says
    /// whether it [is complete](crate::CallAnswers::is_complete).
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
        CallAll::new(&self.hub, Target::Topic(self.hub.name(self.name()).into()), request)
    }
}

impl<T: TopicName, Out> fmt::Debug for TopicHandle<T, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicHandle").field("topic", &self.topic.topic_name()).finish_non_exhaustive()
    }
}
