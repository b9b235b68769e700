//! The messages between client and server.

use switchboard::ws_message;

/// Measures the latency. The client's clock, in milliseconds since 1970.
#[ws_message("HEARTBEAT_PING")]
pub(crate) struct HeartbeatPing {
    pub(crate) timestamp: u64,
}

/// The answer, with the same timestamp: the client can compute the round-trip time.
#[ws_message("HEARTBEAT_PONG")]
pub(crate) struct HeartbeatPong {
    pub(crate) timestamp: u64,
    /// The time to the server, in milliseconds; absent if the client's clock is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<u64>,
}
