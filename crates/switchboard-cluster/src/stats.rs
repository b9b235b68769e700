//! Counters of a node.

/// What a node has counted since it started: [`Cluster::stats`](crate::Cluster::stats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// Messages of all kinds that were given to the broker.
    pub sent_messages: u64,
    /// Messages of all kinds that came from the broker.
    pub received_messages: u64,
    /// Messages of a later version of the format.
    pub newer_messages: u64,
    /// Messages that could not be read, or came on the wrong channel.
    pub malformed_messages: u64,
    /// Messages that had arrived already, or that came after they were told to be lost.
    pub old_messages: u64,
    /// Messages that were dropped because the caller did not take the outputs.
    pub dropped_messages: u64,
    /// Unconfirmed publishes that the broker did not accept, or that may be lost.
    pub failed_publishes: u64,
    /// Gaps that were told.
    pub gaps: u64,
    /// Heartbeats of nodes beyond the limit.
    pub refused_nodes: u64,
    /// How often subscriptions were restored after the link was lost. A broker may restore them in several parts.
    pub resubscriptions: u64,
    /// Subscriptions that were sent to the broker again because a message was missing.
    pub repairs: u64,
    /// Snapshots of users that other nodes were asked for.
    pub snapshots: u64,
    /// How often this node was stopped for so long that others took it for dead.
    pub pauses: u64,
    /// Publishes that wait for the broker now.
    pub pending_publishes: usize,
    /// Bytes of publishes that wait for the broker now.
    pub pending_bytes: usize,
    /// What the caller has not taken from the state machine yet.
    pub queued_outputs: usize,
    /// Bytes of messages in it.
    pub queued_bytes: usize,
    /// Requests of this node that wait for clients of other nodes now.
    pub client_requests: usize,
    /// Requests of other nodes that wait for clients of this node now.
    pub served_requests: usize,
    /// Nodes that are known now, without this one.
    pub nodes: usize,
    /// Topics and users that are subscribed at the broker now.
    pub channels: usize,
    /// Users of other nodes that are known now.
    pub remote_users: usize,
}
