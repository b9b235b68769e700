//! The broker of a node, as its options name it, and the fault that can be planted between it and the product.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use switchboard::cluster::{Broker, Channel};
use switchboard_core::broker::{BrokerFuture, BrokerSink, LinkEvent, NodeId};
use switchboard_nats::NatsBroker;
use switchboard_redis::RedisBroker;

use crate::planted::OneIn;

/// The name of the master that Sentinels know.
const MASTER: &str = "mymaster";

/// How a node reaches its broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One server of Redis or Valkey.
    Redis,
    /// The master of Sentinels.
    Sentinel,
    /// A Redis Cluster.
    Cluster,
    /// One server of NATS.
    Nats,
}

impl Kind {
    /// Returns the name, as the node's command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
            Self::Nats => "nats",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let kinds = [Self::Redis, Self::Sentinel, Self::Cluster, Self::Nats];
        kinds.into_iter().find(|kind| kind.name() == name).ok_or_else(|| format!("no kind of broker is named `{name}`"))
    }
}

/// Builds the broker of servers at these addresses.
pub(super) fn broker(kind: Kind, addresses: &[String]) -> Result<Arc<dyn Broker>> {
    let (first, others) = addresses.split_first().context("`--broker` is missing")?;
    if kind == Kind::Nats {
        return Ok(Arc::new(NatsBroker::builder(format!("nats://{first}")).build()?));
    }
    let builder = RedisBroker::builder(format!("redis://{first}"));
    let builder = others.iter().fold(builder, |builder, other| builder.url(format!("redis://{other}")));
    Ok(Arc::new(match kind {
        Kind::Sentinel => builder.sentinel_master(MASTER).build()?,
        Kind::Cluster => builder.cluster().build()?,
        Kind::Redis | Kind::Nats => builder.build()?,
    }))
}

/// A broker that loses one in N messages of topics on the way to the product.
#[derive(Debug)]
pub(super) struct Lossy {
    broker: Arc<dyn Broker>,
    one_in: Option<u64>,
}

impl Lossy {
    /// Without `one_in`, nothing is lost.
    pub(super) fn new(broker: Arc<dyn Broker>, one_in: Option<u64>) -> Self {
        Self { broker, one_in }
    }
}

impl Broker for Lossy {
    fn start(&self, node: NodeId, sink: Arc<dyn BrokerSink>) -> BrokerFuture {
        match self.one_in {
            Some(n) => self.broker.start(node, Arc::new(LossySink { sink, choice: Mutex::new(OneIn::new(n)) })),
            None => self.broker.start(node, sink),
        }
    }

    fn publish(&self, channel: &Channel, message: Bytes) -> BrokerFuture {
        self.broker.publish(channel, message)
    }

    fn subscribe(&self, channel: &Channel) -> BrokerFuture {
        self.broker.subscribe(channel)
    }

    fn unsubscribe(&self, channel: &Channel) -> BrokerFuture {
        self.broker.unsubscribe(channel)
    }

    fn reconnect(&self) {
        self.broker.reconnect();
    }

    fn shutdown(&self) -> BrokerFuture {
        self.broker.shutdown()
    }
}

struct LossySink {
    sink: Arc<dyn BrokerSink>,
    choice: Mutex<OneIn>,
}

impl BrokerSink for LossySink {
    fn message(&self, channel: &Channel, message: Bytes) {
        let is_lost =
            matches!(channel, Channel::Topic(_)) && self.choice.lock().unwrap_or_else(PoisonError::into_inner).choose();
        if !is_lost {
            self.sink.message(channel, message);
        }
    }

    fn link(&self, event: LinkEvent) {
        self.sink.link(event);
    }
}
