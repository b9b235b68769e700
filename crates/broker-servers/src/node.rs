//! A broker that was started, with a sink that records.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use switchboard_core::broker::{Broker, BrokerSink, Channel, LinkEvent, NodeId};
use tokio::time::{Instant, sleep};

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The id of every node that a test starts.
pub const NODE: NodeId = NodeId::from_bytes([7; 16]);

/// What a [`Listener`] has got.
#[derive(Debug, Default)]
pub struct Heard {
    /// The messages of each channel, in their order.
    pub messages: BTreeMap<Channel, Vec<Bytes>>,
    /// What happened to the link.
    pub events: Vec<LinkEvent>,
}

impl Heard {
    /// Returns how many events are of a kind.
    pub fn count(&self, is: impl Fn(&LinkEvent) -> bool) -> usize {
        self.events.iter().filter(|event| is(event)).count()
    }

    /// Returns whether the link is down.
    #[must_use]
    pub fn is_down(&self) -> bool {
        matches!(self.events.last(), Some(LinkEvent::Disconnected { .. }))
    }

    /// Returns whether a channel was restored.
    #[must_use]
    pub fn is_restored(&self, channel: &Channel) -> bool {
        self.events.iter().any(|event| matches!(event, LinkEvent::Restored(channels) if channels.contains(channel)))
    }
}

/// A sink that records.
#[derive(Debug, Default)]
pub struct Listener {
    heard: Mutex<Heard>,
    /// How long it takes for each message, in milliseconds. 0 at first.
    pub slowness_ms: AtomicU64,
}

impl BrokerSink for Listener {
    fn message(&self, channel: &Channel, message: Bytes) {
        std::thread::sleep(Duration::from_millis(self.slowness_ms.load(Ordering::Relaxed)));
        self.lock().messages.entry(channel.clone()).or_default().push(message);
    }

    fn link(&self, event: LinkEvent) {
        self.lock().events.push(event);
    }
}

impl Listener {
    /// Returns what it has got so far.
    pub fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A broker that was started, and what it has heard.
#[derive(Debug)]
pub struct Node<B> {
    /// The broker.
    pub broker: B,
    /// What it has heard.
    pub heard: Arc<Listener>,
}

impl<B: Broker> Node<B> {
    /// Starts a broker.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub async fn start(broker: B) -> Self {
        let node = Self { broker, heard: Arc::default() };
        let started = node.broker.start(NODE, node.heard.clone()).await;
        started.unwrap_or_else(|error| panic!("the broker does not start: {error}"));
        node
    }

    /// Waits until something was heard.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`PATIENCE`].
    pub async fn until(&self, what: &str, holds: impl Fn(&Heard) -> bool) {
        let started = Instant::now();
        while !holds(&self.heard.lock()) {
            let events = self.heard.lock().events.clone();
            assert!(started.elapsed() < PATIENCE, "{what} within {PATIENCE:?}; events: {events:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a message was heard.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`PATIENCE`].
    pub async fn hears(&self, channel: &Channel, message: &'static str) {
        let message = Bytes::from_static(message.as_bytes());
        let has = |heard: &Heard| heard.messages.get(channel).is_some_and(|messages| messages.contains(&message));
        self.until(&format!("{message:?} arrives"), has).await;
    }

    /// Publishes a message until it is accepted.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`PATIENCE`], or cannot succeed.
    pub async fn publish_when_possible(&self, channel: &Channel, message: &'static str) {
        let started = Instant::now();
        while let Err(error) = self.broker.publish(channel, message.into()).await {
            assert!(error.retryable() && started.elapsed() < PATIENCE, "{error}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Subscribes to channels, many at a time.
    ///
    /// # Panics
    ///
    /// If one is not subscribed.
    pub async fn subscribe_all(&self, channels: &[Channel]) {
        for portion in channels.chunks(5000) {
            let waiting: Vec<_> = portion.iter().map(|channel| self.broker.subscribe(channel)).collect();
            for subscribed in waiting {
                subscribed.await.unwrap_or_else(|error| panic!("not subscribed: {error}"));
            }
        }
    }
}

/// Returns the channel of a topic.
///
/// # Panics
///
/// If that is no name of a topic.
#[must_use]
pub fn topic(name: &str) -> Channel {
    Channel::topic(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}
