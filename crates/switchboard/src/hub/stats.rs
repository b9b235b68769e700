//! Figures of a hub.

/// How much is going on in a hub, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubStats {
    /// Open connections.
    pub connections: usize,
    /// Subscriptions of all connections.
    pub subscriptions: usize,
    /// Topics with at least one member.
    pub topics: usize,
    /// Handlers that wait for something.
    pub running_handlers: usize,
    /// Handlers that go on although nobody waits for them any more: see
    /// [`run_to_completion`](crate::RouteOptions::run_to_completion).
    pub detached_handlers: usize,
    /// Handlers that were dropped before their end, so far: aborted, too late, or their connection ended.
    pub dropped_handlers: u64,
    /// Answers of clients that came too late, or were of the wrong type, so far.
    pub late_answers: u64,
}
