//! Joins the nodes of a [Switchboard](https://docs.rs/switchboard) application by NATS.
//!
//! [`NatsBroker`] is a [`Broker`](switchboard_core::broker::Broker): it carries messages between nodes, and no more. It
//! passes the suite that all brokers pass, on NATS 2.9 and 2.15.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use bytes::Bytes;
//! use switchboard_core::broker::{Broker, BrokerSink, Channel, LinkEvent, NodeId};
//! use switchboard_nats::NatsBroker;
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
//!     let broker = NatsBroker::connect("nats://localhost").await?;
//!     broker.start(NodeId::from_bytes([1; 16]), Arc::new(Print)).await?;
//!     let room = Channel::topic("room:1")?;
//!     broker.subscribe(&room).await?;
//!     broker.publish(&room, Bytes::from_static(b"hello")).await?;
//!     broker.shutdown().await?;
//!     Ok(())
//! }
//! ```
//!
//! # What is lost when
//!
//! | event | what the node sees |
//! |---|---|
//! | the server is killed or restarted | operations fail; at its return, or at another server, all channels are subscribed again, and reported |
//! | the server hangs | operations end as unknown after [`response_timeout`](NatsBrokerBuilder::response_timeout), and the link is given up |
//! | the server shuts down (lame duck mode) | the link is given up at once, and made to another server |
//! | the node does not keep up | messages are dropped and reported; the connection stays |
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `nkeys` | no | logging in by a key, or by a `.creds` file |
//! | `tls` | no | `tls://`, and servers that want TLS, by rustls with `ring`; certificates of the system, or those that are set |
//!
//! # Limits
//!
//! All are settings of [`NatsBrokerBuilder`], whose page has a table of them with defaults.

mod address;
mod broker;
mod link;
mod login;
mod operation;
mod settings;
mod shared;
mod subject;
mod table;
#[cfg(feature = "tls")]
mod tls;

pub use self::{broker::NatsBroker, settings::NatsBrokerBuilder};
