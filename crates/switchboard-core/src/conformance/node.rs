//! A node of a test: a broker that was started, and what it heard.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;

use super::{
    Target,
    listener::{Listener, within},
};
use crate::broker::{Broker, BrokerError, BrokerErrorKind, BrokerFuture, Channel, NodeId};

pub(super) struct Node<'a, T> {
    pub(super) target: &'a T,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) heard: Arc<Listener>,
}

/// Returns an id that no other node of this process has.
pub(super) fn node_id() -> NodeId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&u64::from(std::process::id()).to_be_bytes());
    bytes[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    NodeId::from_bytes(bytes)
}

pub(super) fn topic(name: &str) -> Channel {
    Channel::topic(name).unwrap_or_else(|error| panic!("`{name}`: {error}"))
}

/// How many operations wait at a time: adapters have bounded queues.
const WINDOW: usize = 100;

impl<'a, T: Target> Node<'a, T> {
    pub(super) async fn start(target: &'a T) -> Self {
        let node = Self { target, broker: target.broker().await, heard: Arc::default() };
        node.ok("the broker starts", node.broker.start(node_id(), node.heard.clone())).await;
        node
    }

    pub(super) async fn result(&self, what: &str, future: BrokerFuture) -> Result<(), BrokerError> {
        within(self.target, what, future).await
    }

    pub(super) async fn ok(&self, what: &str, future: BrokerFuture) {
        self.result(what, future).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }

    pub(super) async fn publish(&self, channel: &Channel, message: impl Into<Bytes>) {
        self.ok("a publish is accepted", self.broker.publish(channel, message.into())).await;
    }

    /// Publishes in the order of the list, with several messages under way at a time.
    pub(super) async fn publish_all(&self, messages: impl IntoIterator<Item = (Channel, Bytes)>) {
        let publish = |(channel, message)| self.broker.publish(&channel, message);
        self.in_windows("a publish is accepted", messages.into_iter().map(publish)).await;
    }

    pub(super) async fn subscribe(&self, channel: &Channel) {
        self.ok("a subscription is confirmed", self.broker.subscribe(channel)).await;
    }

    pub(super) async fn subscribe_all(&self, channels: &[Channel]) {
        let subscribe = |channel| self.broker.subscribe(channel);
        self.in_windows("a subscription is confirmed", channels.iter().map(subscribe)).await;
    }

    pub(super) async fn unsubscribe(&self, channel: &Channel) {
        self.ok("the end of a subscription is confirmed", self.broker.unsubscribe(channel)).await;
    }

    async fn in_windows(&self, what: &str, operations: impl Iterator<Item = BrokerFuture>) {
        let mut operations = operations.peekable();
        while operations.peek().is_some() {
            let window: Vec<_> = operations.by_ref().take(WINDOW).collect();
            for operation in window {
                self.ok(what, operation).await;
            }
        }
    }

    /// Waits until that many messages of a channel have arrived.
    pub(super) async fn hears(&self, channel: &Channel, count: usize) {
        let what = format!("{count} messages of {channel} arrive");
        self.heard.wait(self.target, &what, |recorded| recorded.of(channel).len() >= count).await;
    }

    pub(super) fn messages(&self, channel: &Channel) -> Vec<Bytes> {
        self.heard.lock().of(channel).to_vec()
    }

    /// Publishes a message until the broker takes it: after a reconnect it may refuse at first.
    pub(super) async fn publish_when_possible(&self, channel: &Channel, message: &Bytes) {
        let accepted = async {
            loop {
                match self.broker.publish(channel, message.clone()).await {
                    Ok(()) => return,
                    Err(error) if error.kind() == BrokerErrorKind::Closed => panic!("a publish is accepted: {error}"),
                    Err(_) => self.target.sleep(Duration::from_millis(10)).await,
                }
            }
        };
        within(self.target, "a publish is accepted", accepted).await;
    }
}
