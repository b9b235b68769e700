//! Several nodes: the types of [`HubBuilder::broker`](crate::HubBuilder::broker) and of the cluster's state.

#[doc(inline)]
pub use switchboard_cluster::{ClusterConfig, ClusterStats, Health};
#[doc(inline)]
pub use switchboard_core::broker::{Broker, Channel, MemoryBroker, MemoryBus, NodeId};
