//! A broker in memory, which joins the nodes of one process.

mod endpoint;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    future::{poll_fn, ready},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use bytes::Bytes;

use self::endpoint::Endpoint;
use super::{Broker, BrokerError, BrokerErrorKind, BrokerFuture, BrokerSink, Channel, NodeId};

/// The bus that joins the [`MemoryBroker`]s of one process. Cheap to clone.
///
/// ```
/// use switchboard_core::broker::MemoryBus;
///
/// let bus = MemoryBus::new();
/// let (first, second) = (bus.broker(), bus.broker());
/// // Two hubs of one test, each with one of the brokers.
/// # drop((first, second));
/// ```
#[derive(Debug, Clone)]
pub struct MemoryBus {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    max_queued_messages: usize,
    /// Locked while a message is queued for all nodes, so that all see the same order.
    endpoints: Mutex<Vec<Weak<Endpoint>>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Endpoint>>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryBus {
    /// How many messages wait for one node at most, unless [`with_max_queued_messages`](Self::with_max_queued_messages)
    /// says otherwise.
    pub const DEFAULT_MAX_QUEUED_MESSAGES: usize = 65_536;

    /// Creates a bus without nodes.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_queued_messages(Self::DEFAULT_MAX_QUEUED_MESSAGES)
    }

    /// Creates a bus with a limit on the messages that wait for one node. Messages beyond it are dropped, and reported
    /// with [`LinkEvent::Dropped`](super::LinkEvent::Dropped).
    #[must_use]
    pub fn with_max_queued_messages(max_queued_messages: usize) -> Self {
        Self { shared: Arc::new(Shared { max_queued_messages, endpoints: Mutex::default() }) }
    }

    /// Creates the broker of one more node.
    #[must_use]
    pub fn broker(&self) -> MemoryBroker {
        let endpoint = Arc::new(Endpoint::new(self.shared.max_queued_messages));
        let mut endpoints = self.shared.lock();
        endpoints.retain(|endpoint| endpoint.strong_count() > 0);
        endpoints.push(Arc::downgrade(&endpoint));
        drop(endpoints);
        MemoryBroker { bus: self.shared.clone(), endpoint }
    }
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new()
    }
}

/// The broker of one node on a [`MemoryBus`], with faults for tests. Clones belong to the same node.
///
/// Messages are delivered to the sinks by the task that publishes, before `publish` returns, unless the node's link is
/// cut or held, or another task is delivering to the same sink.
///
/// ```
/// # use std::{error::Error, sync::Arc};
/// # use switchboard_core::broker::{Broker, BrokerErrorKind, BrokerSink, Channel, LinkEvent, MemoryBus, NodeId};
/// # struct Nowhere;
/// # impl BrokerSink for Nowhere {
/// #     fn message(&self, _: &Channel, _: bytes::Bytes) {}
/// #     fn link(&self, _: LinkEvent) {}
/// # }
/// # async fn publish_without_a_link() -> Result<(), Box<dyn Error>> {
/// let broker = MemoryBus::new().broker();
/// broker.start(NodeId::from_bytes([1; 16]), Arc::new(Nowhere)).await?;
///
/// broker.cut("pulled the plug");
/// let error = broker.publish(&Channel::AllNodes, "hello".into()).await.unwrap_err();
/// assert_eq!(error.kind(), BrokerErrorKind::Unavailable);
///
/// broker.mend();
/// broker.publish(&Channel::AllNodes, "hello".into()).await?;
/// # Ok(())
/// # }
/// # futures_util::FutureExt::now_or_never(publish_without_a_link()).unwrap().unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct MemoryBroker {
    bus: Arc<Shared>,
    endpoint: Arc<Endpoint>,
}

/// Faults, for tests.
impl MemoryBroker {
    /// Cuts the link until [`mend`](Self::mend). Messages that wait for this node are lost.
    pub fn cut(&self, reason: impl Into<Cow<'static, str>>) {
        self.endpoint.disconnect(reason.into(), true);
        self.endpoint.deliver();
    }

    /// Ends what [`cut`](Self::cut) began: the broker connects again and restores its subscriptions.
    pub fn mend(&self) {
        self.endpoint.connect();
        self.endpoint.deliver();
    }

    /// Loses everything that would arrive, without a word, as on a link that is half open: until
    /// [`reconnect`](Broker::reconnect), or `cut` and `mend`.
    pub fn deafen(&self) {
        self.endpoint.deafen();
    }

    /// Sets whether answers of the bus are lost: operations take place, and fail with
    /// [`Unknown`](BrokerErrorKind::Unknown).
    pub fn lose_answers(&self, lost: bool) {
        self.endpoint.lose_answers(lost);
    }

    /// Holds back what arrives, until [`release`](Self::release): a delay whose end the test decides.
    pub fn hold(&self) {
        self.endpoint.set_held(true);
    }

    /// Delivers what was held back, and what arrives from now on.
    pub fn release(&self) {
        self.endpoint.set_held(false);
        self.endpoint.deliver();
    }

    /// Returns how many messages wait for this node.
    #[must_use]
    pub fn queued_messages(&self) -> usize {
        self.endpoint.queued_messages()
    }
}

impl MemoryBroker {
    /// Ends when a delivery that is under way has ended.
    fn after_delivery(&self, result: Result<(), BrokerError>) -> BrokerFuture {
        let endpoint = self.endpoint.clone();
        let from = endpoint.deliveries();
        let mut result = Some(result);
        Box::pin(poll_fn(move |cx| {
            endpoint.poll_delivered(from, cx).map(|()| result.take().unwrap_or_else(|| Err(polled_again())))
        }))
    }
}

fn polled_again() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Closed, "the future was polled again after its end")
}

impl Broker for MemoryBroker {
    fn start(&self, _: NodeId, sink: Arc<dyn BrokerSink>) -> BrokerFuture {
        let result = self.endpoint.start(sink);
        self.endpoint.deliver();
        Box::pin(ready(result))
    }

    fn publish(&self, channel: &Channel, message: Bytes) -> BrokerFuture {
        let answer = match self.endpoint.check() {
            Err(error) => Err(error),
            Ok(answer) => {
                let endpoints = self.bus.lock();
                let reached: Vec<_> = endpoints
                    .iter()
                    .filter_map(Weak::upgrade)
                    .filter(|endpoint| endpoint.push(channel, &message))
                    .collect();
                drop(endpoints);
                reached.iter().for_each(|endpoint| endpoint.deliver());
                answer
            }
        };
        Box::pin(ready(answer))
    }

    fn subscribe(&self, channel: &Channel) -> BrokerFuture {
        Box::pin(ready(self.endpoint.subscribe(channel)))
    }

    fn unsubscribe(&self, channel: &Channel) -> BrokerFuture {
        let result = self.endpoint.unsubscribe(channel);
        self.after_delivery(result)
    }

    fn reconnect(&self) {
        self.endpoint.disconnect("asked to reconnect".into(), false);
        self.endpoint.connect_unless_cut();
        self.endpoint.deliver();
    }

    fn shutdown(&self) -> BrokerFuture {
        self.endpoint.close();
        self.after_delivery(Ok(()))
    }
}
