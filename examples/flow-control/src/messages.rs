//! What travels between client and server.

use switchboard::{ws_message, ws_payload};

/// Something to be worked off.
#[ws_message("SEND_DATA")]
pub(crate) struct SendData {
    #[validate(length(max = 1000))]
    pub(crate) data: String,
}

/// It was taken. Ids are those of the connection, counted from 1.
#[ws_message("DATA_ACK")]
pub(crate) struct DataAck {
    pub(crate) id: String,
}

/// The queue is full: do not send before that time.
#[ws_message("RESOURCE_EXHAUSTED")]
pub(crate) struct ResourceExhausted {
    pub(crate) policy: Policy,
    pub(crate) retry_after_ms: u64,
    pub(crate) queue_depth: usize,
}

/// What happens when the queue is full.
#[ws_payload(rename_all = "kebab-case")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    DropOldest,
    DropNew,
    Queue,
}

/// To those who watch: it was worked off.
#[ws_message("DATA")]
pub(crate) struct Data {
    pub(crate) client_id: String,
    pub(crate) id: String,
    pub(crate) data: String,
}
