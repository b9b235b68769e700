//! Figures of a hub.

/// Figures of a hub at one moment: [`Hub::stats`](crate::Hub::stats).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubStats {
    /// Open connections.
    pub connections: usize,
    /// Users with at least one connection.
    pub users: usize,
    /// Subscriptions of all connections.
    pub subscriptions: usize,
    /// Topics with at least one subscriber.
    pub topics: usize,
    /// Bytes queued for slow consumers, accurate to 1 KiB for each of them. Limited by
    /// [`max_queued_bytes`](crate::HubBuilder::max_queued_bytes).
    pub queued_bytes: usize,
    /// Upgrades in progress: not yet accepted or refused.
    pub pending_upgrades: usize,
    /// Handlers in progress. Handlers that complete without waiting are not counted.
    pub running_handlers: usize,
    /// Handlers that outlived their request and
    /// [run to completion](crate::RouteOptions::run_to_completion).
    pub detached_handlers: usize,
    /// Total of handlers cancelled by an abort, a deadline or the end of their connection.
    pub dropped_handlers: u64,
    /// Total of clients' answers that were too late or of the wrong type.
    pub late_answers: u64,
    /// Total of slow consumers closed with 4002.
    pub slow_consumers: u64,
}
