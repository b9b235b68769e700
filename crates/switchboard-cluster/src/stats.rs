//! Counters of a node.

/// What a node has counted since it started: [`Cluster::stats`](crate::Cluster::stats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// Messages of a later version of the format.
    pub newer_messages: u64,
    /// Messages that could not be read, or came on the wrong channel.
    pub malformed_messages: u64,
    /// Messages that had arrived already, or that came after they were told to be lost.
    pub old_messages: u64,
    /// Messages that were dropped because the caller did not take the outputs.
    pub dropped_messages: u64,
    /// Gaps that were told.
    pub gaps: u64,
    /// Heartbeats of nodes beyond the limit.
    pub refused_nodes: u64,
    /// Subscriptions that were sent to the broker again because a message was missing.
    pub repairs: u64,
    /// Snapshots of users that other nodes were asked for.
    pub snapshots: u64,
    /// How often this node was stopped for so long that others took it for dead.
    pub pauses: u64,
    /// Nodes that are known now, without this one.
    pub nodes: usize,
    /// Topics and users that are subscribed at the broker now.
    pub channels: usize,
    /// Users of other nodes that are known now.
    pub remote_users: usize,
}
