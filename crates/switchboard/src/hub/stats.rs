//! Figures of a hub.

/// How much is going on in a hub, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubStats {
    /// Open connections.
    pub connections: usize,
    /// Users with at least one connection.
    pub users: usize,
    /// Subscriptions of all connections.
    pub subscriptions: usize,
    /// Topics with at least one member.
    pub topics: usize,
    /// Bytes that wait to be written because clients do not read as fast, give or take 1 KiB for
    /// each that does not. Limited by
    /// [`max_queued_bytes`](crate::HubBuilder::max_queued_bytes).
    pub queued_bytes: usize,
    /// Upgrades that are not decided yet.
    pub pending_upgrades: usize,
    /// Handlers that wait for something.
    pub running_handlers: usize,
    /// Handlers that go on although nobody waits for them any more: see
    /// [`run_to_completion`](crate::RouteOptions::run_to_completion).
    pub detached_handlers: usize,
    /// Handlers that were dropped before their end, so far: aborted, too late, or their connection ended.
    pub dropped_handlers: u64,
    /// Answers of clients that came too late, or were of the wrong type, so far.
    pub late_answers: u64,
    /// Connections that were closed with 4002, so far: their clients did not read as fast as was
    /// sent to them.
    pub slow_consumers: u64,
}
