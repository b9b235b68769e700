//! The parts of the hub's builder and handle that concern other nodes.

use std::{sync::Arc, time::Duration};

use switchboard_cluster::{ClusterConfig, ClusterStats, Health};
use switchboard_core::broker::{Broker, NodeId};

use crate::hub::{Hub, HubBuilder};

impl HubBuilder {
    /// Connects the hub with the hubs of other processes, through a broker: crates such as `switchboard-redis` and
    /// `switchboard-nats` have one, and [`MemoryBus`](crate::cluster::MemoryBus) joins hubs of one process, for tests.
    ///
    /// Publishes then reach the subscribers on all nodes, and [`Hub::user`], [`Hub::topic`] and [`Hub::connection`] cover
    /// all nodes. A message reaches subscribers only through the broker, those of the publishing node too: so all of them
    /// see the same order, and while the broker is not reachable, publishes fail with
    /// [`Unavailable`](crate::PublishErrorKind::Unavailable).
    ///
    /// [`build`](Self::build) must be called inside a tokio runtime. The hub connects in the background, and again whenever
    /// the link is lost; [`Hub::health`] tells.
    ///
    /// ```
    /// use switchboard::{Hub, cluster::MemoryBus, ws_message};
    ///
    /// #[ws_message("NEWS")]
    /// struct News {
    ///     text: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), switchboard::PublishError> {
    /// let bus = MemoryBus::new();
    /// let one = Hub::builder().broker(bus.broker()).build();
    /// let two = Hub::builder().broker(bus.broker()).build();
    /// one.ready().await;
    /// one.publish("news", News { text: "reaches the subscribers of both".into() }).await?;
    /// # drop(two);
    /// # Ok(())
    /// # }
    /// ```
    pub fn broker(mut self, broker: impl Broker) -> Self {
        self.link.broker = Some(Arc::new(broker));
        self
    }

    /// Sets the times and limits of the cluster. Without a [`broker`](Self::broker) they have no effect.
    pub fn cluster(mut self, config: ClusterConfig) -> Self {
        self.link.cluster = config;
        self
    }
}

impl Hub {
    /// Returns the state of the link to the other nodes; `None` without a [`broker`](HubBuilder::broker).
    #[must_use]
    pub fn health(&self) -> Option<Health> {
        self.0.link.as_ref().map(|link| link.health())
    }

    /// Returns how long ago a message of this node came back to it from the broker, which proves that the link carries
    /// messages in both directions; `None` without a [`broker`](HubBuilder::broker). A new connection counts as such a
    /// message.
    ///
    /// While the link works, this is at most the time between two heartbeats, which is 1.2 s by default.
    #[must_use]
    pub fn broker_silence(&self) -> Option<Duration> {
        self.0.link.as_ref().map(|link| link.silence())
    }

    /// Returns the id of this node, by which the logs of other nodes name it; `None` without a
    /// [`broker`](HubBuilder::broker). A process has another one after each start.
    #[must_use]
    pub fn node_id(&self) -> Option<NodeId> {
        self.0.link.as_ref().map(|link| link.node())
    }

    /// Waits until the link to the broker is up: for tests, and for a server that should not accept clients before.
    ///
    /// Returns at once without a broker.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only waits.
    pub async fn ready(&self) {
        let Some(link) = &self.0.link else { return };
        link.connected().await;
    }

    /// Returns figures of the cluster as this node sees it; `None` without a [`broker`](HubBuilder::broker).
    #[must_use]
    pub fn cluster_stats(&self) -> Option<ClusterStats> {
        self.0.link.as_ref().map(|link| link.stats())
    }
}
