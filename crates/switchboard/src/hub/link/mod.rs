//! The link between a hub and the other nodes of its application, through a broker.
//!
//! What nodes know of each other is a state machine without I/O (`switchboard-cluster`). [`Link`] holds it under a lock that
//! is taken for moments, by whoever has something to tell it: the broker's reader, publishers, subscribers. What the state
//! machine asks for is done by one task, the `driver`, so calls reach the broker in order, and messages the subscribers.
//!
//! Without the feature `cluster`, `off` stands in for all of it.

#[cfg(feature = "cluster")]
mod clients;
#[cfg(feature = "cluster")]
mod deliver;
#[cfg(feature = "cluster")]
mod driver;
#[cfg(all(feature = "cluster", feature = "metrics"))]
mod figures;
#[cfg(feature = "cluster")]
mod groups;
#[cfg(feature = "cluster")]
mod join;
#[cfg(feature = "cluster")]
mod live;
#[cfg(not(feature = "cluster"))]
mod off;
#[cfg(feature = "cluster")]
mod payload;
#[cfg(feature = "cluster")]
mod publish;
#[cfg(feature = "cluster")]
mod remote;
#[cfg(feature = "cluster")]
mod serve_clients;
#[cfg(feature = "cluster")]
mod settings;

#[cfg(not(feature = "cluster"))]
pub(crate) use self::off::{BusPublish, Group, Holds, Link, LinkSettings, RemoteResponses};
#[cfg(feature = "cluster")]
pub(crate) use self::{
    clients::RemoteResponses,
    join::Holds,
    live::{Link, LinkSettings, wire_error},
    payload::Group,
    publish::BusPublish,
};
use crate::conn::CallError;

/// The payload of a client's response, or why there is none.
pub(crate) type RawAnswer = Result<Option<Box<str>>, CallError>;
