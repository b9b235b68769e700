//! A sink that records, and a node with it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use switchboard_core::broker::{Broker, BrokerSink, Channel, LinkEvent, NodeId};
use switchboard_nats::{NatsBroker, NatsBrokerBuilder};
use tokio::time::{Instant, sleep};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) messages: BTreeMap<Channel, Vec<Bytes>>,
    pub(crate) events: Vec<LinkEvent>,
}

impl Heard {
    pub(crate) fn count(&self, is: impl Fn(&LinkEvent) -> bool) -> usize {
        self.events.iter().filter(|event| is(event)).count()
    }

    pub(crate) fn is_down(&self) -> bool {
        matches!(self.events.last(), Some(LinkEvent::Disconnected { .. }))
    }

    pub(crate) fn is_restored(&self, channel: &Channel) -> bool {
        self.events.iter().any(|event| matches!(event, LinkEvent::Restored(channels) if channels.contains(channel)))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Listener {
    heard: Mutex<Heard>,
    pub(crate) slowness_ms: AtomicU64,
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
    pub(crate) fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }
}

/// A broker that was started, and what it has heard.
pub(crate) struct Node {
    pub(crate) broker: NatsBroker,
    pub(crate) heard: Arc<Listener>,
}

pub(crate) const NODE: NodeId = NodeId::from_bytes([7; 16]);

impl Node {
    pub(crate) async fn start(builder: NatsBrokerBuilder) -> Self {
        let node = Self { broker: builder.build().unwrap(), heard: Arc::default() };
        node.broker.start(NODE, node.heard.clone()).await.unwrap();
        node
    }

    /// Waits until something was heard.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Heard) -> bool) {
        let started = Instant::now();
        while !holds(&self.heard.lock()) {
            let events = self.heard.lock().events.clone();
            assert!(started.elapsed() < PATIENCE, "{what} within {PATIENCE:?}; events: {events:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn hears(&self, channel: &Channel, message: &'static str) {
        let message = Bytes::from_static(message.as_bytes());
        let has = |heard: &Heard| heard.messages.get(channel).is_some_and(|messages| messages.contains(&message));
        self.until(&format!("{message:?} arrives"), has).await;
    }

    /// Publishes a message until it is accepted.
    pub(crate) async fn publish_when_possible(&self, channel: &Channel, message: &'static str) {
        let started = Instant::now();
        while let Err(error) = self.broker.publish(channel, message.into()).await {
            assert!(error.retryable() && started.elapsed() < PATIENCE, "{error}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) fn topic(name: &str) -> Channel {
    Channel::topic(name).unwrap()
}
