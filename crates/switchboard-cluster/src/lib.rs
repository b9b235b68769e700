//! What the nodes of a Switchboard application know of each other: a state machine without I/O, clock or randomness.
//!
//! [`Cluster`] is one node. It takes what happens (messages from the broker, events of the link, answers of the broker,
//! local changes, the time) and returns what to do ([`Output`]): calls of the broker, deliveries to local subscribers,
//! answers. The crate `switchboard` drives it under tokio; the simulator of this crate (feature `simulate`) drives many
//! of them in virtual time, on a network with faults.
//!
//! ```
//! use std::time::Duration;
//!
//! use bytes::Bytes;
//! use switchboard_cluster::{BrokerCall, Cluster, ClusterConfig, Join, Output, Publish};
//! use switchboard_core::broker::{Channel, Incarnation, LinkEvent, NodeId, TopicName};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = Duration::ZERO;
//! let (node, incarnation) = (NodeId::from_bytes([1; 16]), Incarnation::from_u64(1));
//! let mut cluster = Cluster::new(node, incarnation, ClusterConfig::new(), now);
//! cluster.handle_link(LinkEvent::Connected, now);
//!
//! let room = TopicName::new("room:1")?;
//! let Join::Waiting(join) = cluster.join(&room, now)? else { panic!("nothing was subscribed yet") };
//! let publish = Publish { message_type: "SAY", payload: b"{}", ..Publish::default() };
//!
//! // A broker that confirms everything, and has one node.
//! let mut delivered = Vec::new();
//! let mut joined = false;
//! while let Some(output) = cluster.poll_output() {
//!     match output {
//!         Output::Call { operation, call } => {
//!             cluster.handle_completion(operation, Ok(()), now);
//!             if let BrokerCall::Publish(channel @ Channel::Topic(_), message) = call {
//!                 cluster.handle_message(&channel, message, now);
//!             }
//!         }
//!         Output::Joined { join: which, result } => {
//!             assert_eq!((which, result), (join, Ok(())));
//!             joined = true;
//!             cluster.publish(&room, &publish, now)?;
//!         }
//!         Output::Deliver(delivery) => delivered.push(delivery.payload),
//!         _ => {}
//!     }
//! }
//! assert!(joined);
//! assert_eq!(delivered, ["{}"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! `now` is the time since any fixed point, from a clock that does not go back, and that goes on while the process is
//! stopped. Call [`Cluster::handle_tick`] at [`Cluster::poll_timeout`], at the latest.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `simulate` | no | the simulator and its judge |
//!
//! # Limits
//!
//! Every table and wait is bounded by a setting of [`ClusterConfig`].

mod bus;
mod client_requests;
mod cluster;
mod commands;
mod config;
mod deadlines;
mod error;
mod hash;
mod health;
mod interest;
mod nodes;
mod operations;
mod output;
mod outputs;
mod positions;
mod publishing;
mod questions;
#[cfg(feature = "simulate")]
pub mod simulate;
mod stats;
mod users;

pub use self::{
    cluster::{Announced, Cluster, Join},
    config::{ClusterConfig, InvalidClusterConfig},
    error::ClusterError,
    health::Health,
    output::{
        BrokerCall, ClientRequestId, ClientRequestReply, ClientsOf, CommandId, CommandKind, CommandOutcome,
        CommandReply, Delivery, GapReason, JoinId, OperationId, Output, Publish, PublishId, QuestionId,
        ReceivedClientRequest, ReceivedCommand, ReceivedQuestion, UserChange, UserChangeKind, UserPresence,
    },
    stats::ClusterStats,
};
