//! Joins the nodes of a [Switchboard](https://docs.rs/switchboard) application by Redis or Valkey.
//!
//! [`RedisBroker`] is a [`Broker`](switchboard_core::broker::Broker): it carries messages between nodes, and no more. It
//! passes the suite that all brokers pass, on Redis alone, behind Sentinel, and as a cluster, and on Valkey.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use bytes::Bytes;
//! use switchboard_core::broker::{Broker, BrokerSink, Channel, LinkEvent, NodeId};
//! use switchboard_redis::RedisBroker;
//!
//! struct Print;
//!
//! impl BrokerSink for Print {
//!     fn message(&self, channel: &Channel, message: Bytes) {
//!         eprintln!("{channel}: {} bytes", message.len());
//!     }
//!
//!     fn link(&self, event: LinkEvent) {
//!         eprintln!("{event:?}");
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let broker = RedisBroker::connect("redis://localhost").await?;
//!     broker.start(NodeId::from_bytes([1; 16]), Arc::new(Print)).await?;
//!     let room = Channel::topic("room:1")?;
//!     broker.subscribe(&room).await?;
//!     broker.publish(&room, Bytes::from_static(b"hello")).await?;
//!     broker.shutdown().await?;
//!     Ok(())
//! }
//! ```
//!
//! [`RedisRateLimit`] counts messages of users, addresses and keys for all nodes together.
//!
//! # What is lost when
//!
//! | event | what the node sees |
//! |---|---|
//! | the server is killed or restarted | operations fail; at its return all channels are subscribed again, and reported |
//! | the server hangs | operations end as unknown after [`response_timeout`](RedisBrokerBuilder::response_timeout), and the link is given up |
//! | a failover with Sentinel | the demoted master is left within [`topology_interval`](RedisBrokerBuilder::topology_interval) of its replacement |
//! | a slot of a cluster moves | the channels of its partition are reported as interrupted, and as restored at their new server |
//! | the node does not keep up | messages are dropped and reported; the connection stays |
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `tls` | no | `rediss://`, by rustls with `ring`; certificates of the system, or those that are set |
//!
//! # Limits
//!
//! All are settings of [`RedisBrokerBuilder`], whose page has a table of them with defaults.

mod address;
mod broker;
mod command;
mod layout;
mod link;
mod rate_limit;
mod servers;
mod settings;
mod shared;
mod table;

pub use self::{
    broker::RedisBroker,
    rate_limit::{RedisRateLimit, RedisRateLimitBuilder},
    settings::RedisBrokerBuilder,
};
