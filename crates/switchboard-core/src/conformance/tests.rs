//! The suite passes on the broker in memory, and fails on brokers that break a promise.

use std::{panic::AssertUnwindSafe, sync::Mutex};

use bytes::Bytes;
use futures_util::FutureExt as _;

use super::*;
use crate::broker::{BrokerFuture, BrokerSink, Channel, LinkEvent, MemoryBroker, MemoryBus, NodeId};

struct InMemory {
    bus: MemoryBus,
    defect: Option<Defect>,
}

impl InMemory {
    fn new(defect: Option<Defect>) -> Self {
        Self { bus: MemoryBus::new(), defect }
    }
}

impl Target for InMemory {
    async fn broker(&self) -> Arc<dyn Broker> {
        let broker = self.bus.broker();
        match self.defect {
            Some(defect) => Arc::new(Defective { broker, defect }),
            None => Arc::new(broker),
        }
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn patience(&self) -> Duration {
        if self.defect.is_some() { Duration::from_millis(300) } else { Duration::from_secs(20) }
    }
}

mod memory {
    use super::InMemory;

    crate::broker_conformance!(tokio::test, InMemory::new(None));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    Duplicates,
    Loses,
    Reorders,
    FoldsCase,
    TruncatesAtZero,
    UnsubscribesNothing,
    SubscribesLater,
    ForgetsAtReconnect,
    WithdrawsDroppedFutures,
    OutlivesShutdown,
}

#[derive(Debug)]
struct Defective {
    broker: MemoryBroker,
    defect: Defect,
}

impl Defective {
    fn channel(&self, channel: &Channel) -> Channel {
        match channel {
            Channel::Topic(name) if self.defect == Defect::FoldsCase => {
                Channel::topic(&name.as_str().to_lowercase()).unwrap_or_else(|_| channel.clone())
            }
            other => other.clone(),
        }
    }
}

impl Broker for Defective {
    fn start(&self, node: NodeId, sink: Arc<dyn BrokerSink>) -> BrokerFuture {
        self.broker.start(node, Arc::new(DefectiveSink { sink, defect: self.defect, kept: Mutex::default() }))
    }

    fn publish(&self, channel: &Channel, message: Bytes) -> BrokerFuture {
        let message = match message.iter().position(|byte| *byte == 0) {
            Some(end) if self.defect == Defect::TruncatesAtZero => message.slice(..end),
            _ => message,
        };
        if self.defect == Defect::WithdrawsDroppedFutures {
            let (broker, channel) = (self.broker.clone(), channel.clone());
            return Box::pin(async move { broker.publish(&channel, message).await });
        }
        self.broker.publish(&self.channel(channel), message)
    }

    fn subscribe(&self, channel: &Channel) -> BrokerFuture {
        if self.defect == Defect::SubscribesLater {
            let (broker, channel) = (self.broker.clone(), channel.clone());
            tokio::spawn(async move { broker.subscribe(&channel).await });
            return Box::pin(async { Ok(()) });
        }
        self.broker.subscribe(&self.channel(channel))
    }

    fn unsubscribe(&self, channel: &Channel) -> BrokerFuture {
        if self.defect == Defect::UnsubscribesNothing {
            return Box::pin(async { Ok(()) });
        }
        self.broker.unsubscribe(&self.channel(channel))
    }

    fn reconnect(&self) {
        if self.defect == Defect::ForgetsAtReconnect {
            drop(self.broker.unsubscribe(&Channel::topic("restored:7").unwrap()));
        }
        self.broker.reconnect();
    }

    fn shutdown(&self) -> BrokerFuture {
        if self.defect == Defect::OutlivesShutdown {
            return Box::pin(async { Ok(()) });
        }
        self.broker.shutdown()
    }
}

struct DefectiveSink {
    sink: Arc<dyn BrokerSink>,
    defect: Defect,
    kept: Mutex<Option<(Channel, Bytes)>>,
}

impl BrokerSink for DefectiveSink {
    fn message(&self, channel: &Channel, message: Bytes) {
        let is_chosen = message.ends_with(b"7");
        match self.defect {
            Defect::Loses if is_chosen => return,
            Defect::Duplicates if is_chosen => self.sink.message(channel, message.clone()),
            Defect::Reorders if is_chosen && self.kept.lock().unwrap().is_none() => {
                *self.kept.lock().unwrap() = Some((channel.clone(), message));
                return;
            }
            _ => {}
        }
        self.sink.message(channel, message.clone());
        // The kept message follows the next one of its publisher, whose name is the first byte.
        let is_next = |(of, kept): &mut (Channel, Bytes)| of == channel && kept[..1] == message[..1];
        let kept = self.kept.lock().unwrap().take_if(is_next);
        if let Some((channel, message)) = kept {
            self.sink.message(&channel, message);
        }
    }

    fn link(&self, event: LinkEvent) {
        self.sink.link(event);
    }
}

/// Runs a case on a defective broker, and checks what it panics with.
async fn assert_fails(defect: Defect, case: impl AsyncFnOnce(&InMemory), expected: &str) {
    let target = InMemory::new(Some(defect));
    let panic = AssertUnwindSafe(case(&target)).catch_unwind().await.expect_err("the suite fails on this broker");
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.unwrap_or_else(|| (*panic.downcast::<&str>().unwrap()).to_owned());
    assert!(text.contains(expected), "{defect:?} fails with another text: {text}");
}

#[tokio::test]
async fn a_broker_that_duplicates_loses_or_reorders_fails() {
    let order = order_is_kept_for_each_publisher_and_channel;
    assert_fails(Defect::Duplicates, order, "in order, each once").await;
    assert_fails(Defect::Reorders, order, "in order, each once").await;
    assert_fails(Defect::Loses, order, "messages of t:order:1 arrive").await;
    assert_fails(Defect::Loses, a_slow_sink_loses_nothing_silently, "no loss was reported").await;
}

#[tokio::test]
async fn a_broker_that_confuses_names_or_bytes_fails() {
    assert_fails(Defect::FoldsCase, channels_are_exact, "arrive").await;
    assert_fails(Defect::TruncatesAtZero, bytes_arrive_unchanged, "messages arrive unchanged").await;
}

#[tokio::test]
async fn a_broker_that_subscribes_wrongly_fails() {
    let last = the_last_of_joins_and_leaves_counts;
    assert_fails(Defect::UnsubscribesNothing, last, "the last operation was a leave").await;
    let ended = nothing_arrives_after_unsubscribing;
    assert_fails(Defect::UnsubscribesNothing, ended, "nothing arrives after unsubscribing").await;
    let next = a_confirmed_subscription_hears_the_next_message;
    assert_fails(Defect::SubscribesLater, next, "1 messages of t:next:0 arrive").await;
    let restores = a_reconnect_restores_all_channels;
    assert_fails(Defect::ForgetsAtReconnect, restores, "t:restored:7").await;
}

#[tokio::test]
async fn a_broker_that_is_lazy_or_does_not_end_fails() {
    let polled = publishing_needs_no_polling;
    assert_fails(Defect::WithdrawsDroppedFutures, polled, "arrive").await;
    assert_fails(Defect::OutlivesShutdown, shutdown_ends_everything, "operations fail after the end").await;
}
