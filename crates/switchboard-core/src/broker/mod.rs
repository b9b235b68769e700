//! The transport between the nodes of an application: the trait [`Broker`], for adapters.
//!
//! A broker carries bytes between nodes on [channels](Channel), and no more. Who is there, what was lost and what is
//! told to clients is decided above this trait, in the crate `switchboard-cluster`. An adapter contains transport code
//! only, and passes the suite in `switchboard_core::conformance` (feature `conformance`).
//!
//! ```
//! use std::{error::Error, sync::Arc};
//!
//! use bytes::Bytes;
//! use switchboard_core::broker::{Broker, BrokerSink, Channel, LinkEvent, MemoryBus, NodeId};
//!
//! /// A sink must not block. This one sends into a bounded channel, and would count what does not fit.
//! struct Queue(std::sync::mpsc::SyncSender<Bytes>);
//!
//! impl BrokerSink for Queue {
//!     fn message(&self, _: &Channel, message: Bytes) {
//!         let _ = self.0.try_send(message);
//!     }
//!
//!     fn link(&self, _: LinkEvent) {}
//! }
//!
//! async fn talk_to_oneself() -> Result<(), Box<dyn Error>> {
//!     let broker = MemoryBus::new().broker();
//!     let (sender, received) = std::sync::mpsc::sync_channel(16);
//!     broker.start(NodeId::from_bytes([1; 16]), Arc::new(Queue(sender))).await?;
//!
//!     let room = Channel::topic("room:1")?;
//!     broker.subscribe(&room).await?;
//!     broker.publish(&room, Bytes::from_static(b"hello")).await?;
//!     assert_eq!(received.recv()?, "hello");
//!     broker.shutdown().await?;
//!     Ok(())
//! }
//! # futures_util::FutureExt::now_or_never(talk_to_oneself()).unwrap().unwrap();
//! ```

mod channel;
mod error;
mod memory;
mod node;
mod sink;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;

pub use self::{
    channel::{Channel, InvalidUserKey, MAX_USER_KEY_BYTES, TopicName, UserKey, check_user_key},
    error::{BrokerError, BrokerErrorKind},
    memory::{MemoryBroker, MemoryBus},
    node::{Incarnation, NodeId},
    sink::{BrokerSink, Channels, LinkEvent},
};

/// What the methods of a [`Broker`] return: a future that ends when the broker has answered.
///
/// The operation is queued when the method is called, in the order of the calls; the future only waits for the answer.
/// If it is dropped, the operation takes place all the same.
pub type BrokerFuture<T = ()> = Pin<Box<dyn Future<Output = Result<T, BrokerError>> + Send>>;

/// A transport between the nodes of an application: publishes and subscribes, and reports the state of its link.
///
/// One value serves one node. [`start`](Self::start) is called once, before everything else.
///
/// # For adapters
///
/// - **Operations are queued when the method is called**, not when the future is first polled. Operations of one node
///   on one channel take effect in the order of the calls. The queue is bounded: an operation that does not fit fails
///   with [`Overloaded`](BrokerErrorKind::Overloaded).
/// - **Publishing and subscribing may use two connections**, as with Redis. So the order between a publish and a
///   subscription of one node is not promised before the first of them is confirmed: a message that is published right
///   after `subscribe` was called may arrive or not. Whoever needs it waits for the confirmation.
/// - **Each future ends**, at the latest after the adapter's response timeout: with
///   [`Unknown`](BrokerErrorKind::Unknown) if the operation may have taken place. While the link is down, operations fail
///   with [`Unavailable`](BrokerErrorKind::Unavailable) at once instead of waiting for the link.
/// - **Subscriptions outlive the link.** The adapter keeps a table of its channels and subscribes them again after a
///   reconnect, and reports each part that is heard again with [`LinkEvent::Restored`]. If some subscription cannot be
///   restored, it gives up the link and connects again.
/// - **A node hears its own messages**, like those of other nodes.
/// - **Channels are exact.** No name is a pattern, and no two channels share messages, whatever characters a name contains.
/// - **Messages are bytes**, delivered unchanged: at most once, and in order for each publishing node and channel while
///   the link is up.
///
/// Histories (append and read) will be a trait beside this one.
pub trait Broker: fmt::Debug + Send + Sync + 'static {
    /// Connects, and delivers what arrives to `sink` from then on.
    ///
    /// Ends when the link is up, or with an error when the first attempt has failed. After an error the adapter has
    /// stopped, and `start` may be called again. `node` is for names that operators see, such as a client's name in the
    /// broker's list.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](BrokerErrorKind::Unavailable), or [`Rejected`](BrokerErrorKind::Rejected) for wrong credentials, an
    /// unsuitable server, or a second call.
    fn start(&self, node: NodeId, sink: Arc<dyn BrokerSink>) -> BrokerFuture;

    /// Publishes a message to all nodes that have subscribed to the channel. Ends when the broker has accepted it.
    ///
    /// # Errors
    ///
    /// If [`BrokerError::is_unknown`], nodes may receive the message; otherwise none does.
    fn publish(&self, channel: &Channel, message: Bytes) -> BrokerFuture;

    /// Subscribes to a channel. Ends when the broker has confirmed: every message whose publishing begins afterwards
    /// arrives, while the link is up.
    ///
    /// Subscribing to a channel again is allowed, and sends the subscription to the broker once more: that is how a
    /// subscription is repaired that the broker may have forgotten. It does not duplicate messages.
    ///
    /// # Errors
    ///
    /// After an error the channel is not subscribed, except that a failed repair leaves it in the table, to be
    /// subscribed at the next reconnect.
    fn subscribe(&self, channel: &Channel) -> BrokerFuture;

    /// Ends a subscription. When the future has ended, nothing of this channel reaches the sink any more.
    ///
    /// Without such a subscription nothing happens.
    ///
    /// # Errors
    ///
    /// The subscription has ended all the same: the adapter ignores what still arrives, and does not restore it.
    fn unsubscribe(&self, channel: &Channel) -> BrokerFuture;

    /// Gives up the present link and connects again: called when nothing arrives on a link that seems to be up.
    ///
    /// Returns at once. [`LinkEvent::Disconnected`], [`Connected`](LinkEvent::Connected) and
    /// [`Restored`](LinkEvent::Restored) follow. If the link is down already, the next attempt is made at once.
    fn reconnect(&self);

    /// Ends the link. Operations that wait end with an error, and nothing reaches the sink when the future has ended.
    ///
    /// Afterwards every operation fails with [`Closed`](BrokerErrorKind::Closed).
    ///
    /// # Errors
    ///
    /// If the link could not be ended in good order. It has ended all the same.
    fn shutdown(&self) -> BrokerFuture;
}
