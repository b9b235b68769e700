//! Parts that adapters of brokers have in common, for authors of a [`Broker`](crate::broker::Broker) on Tokio.
//!
//! | type | what it does |
//! |---|---|
//! | [`Inbox`] | a bounded queue between the connection and the sink, so that the connection is always read |
//! | [`Room`] | bounds the operations that wait for an answer, in number and bytes |
//! | [`Backoff`] | the pauses between attempts to connect |
//!
//! What is left to an adapter: connections, the table of its channels, subscribing again, and matching answers.
//! `switchboard_core::conformance` (feature `conformance`) tests the whole.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use bytes::Bytes;
//! use switchboard_core::{
//!     adapter::{Backoff, Inbox, Room, Subscription},
//!     broker::{BrokerSink, Channel, LinkEvent},
//! };
//!
//! struct Room1(Channel);
//!
//! impl Subscription for Room1 {
//!     fn channel(&self) -> &Channel {
//!         &self.0
//!     }
//!
//!     fn is_active(&self) -> bool {
//!         true
//!     }
//! }
//!
//! struct Print;
//!
//! impl BrokerSink for Print {
//!     fn message(&self, channel: &Channel, message: Bytes) {
//!         println!("{channel}: {} bytes", message.len());
//!     }
//!
//!     fn link(&self, event: LinkEvent) {
//!         println!("{event:?}");
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The limits are settings of the adapter.
//! let inbox = Arc::new(Inbox::new(65_536, 64 << 20));
//! let delivering = tokio::spawn({
//!     let inbox = Arc::clone(&inbox);
//!     async move { inbox.deliver(&Print).await }
//! });
//!
//! // What the task of the connection does.
//! inbox.link(LinkEvent::Connected);
//! inbox.message(&Arc::new(Room1(Channel::topic("room:1")?)), Bytes::from_static(b"hello"));
//!
//! // What `publish` does. The permit stays with the operation until it is answered.
//! let room = Room::new(16_384, 64 << 20);
//! let permit = room.take(b"hello".len())?;
//! drop(permit);
//!
//! // What the task of the connection does when it cannot connect.
//! let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(3));
//! let pause = backoff.next_pause();
//! # assert!(pause <= Duration::from_millis(50));
//!
//! // What `shutdown` does.
//! inbox.close();
//! delivering.abort();
//! inbox.settled().await;
//! # Ok(())
//! # }
//! ```

mod backoff;
mod inbox;
mod room;

pub use self::{
    backoff::Backoff,
    inbox::{Inbox, Subscription},
    room::{Permit, Room},
};
