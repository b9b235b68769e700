//! What travels between client and server.

use switchboard::ws_message;

/// Asks how long a message takes. The client's clock, in milliseconds since 1970.
#[ws_message("HEARTBEAT_PING")]
pub(crate) struct HeartbeatPing {
    pub(crate) timestamp: u64,
}

/// The answer, with the same timestamp: the client can measure the way there and back.
#[ws_message("HEARTBEAT_PONG")]
pub(crate) struct HeartbeatPong {
    pub(crate) timestamp: u64,
    /// The way there, in milliseconds; absent if the client's clock is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<u64>,
}
