//! The messages between client and server.

use switchboard::{ws_message, ws_payload};

/// An item to process.
#[ws_message("SEND_DATA")]
pub(crate) struct SendData {
    #[validate(length(max = 1000))]
    pub(crate) data: String,
}

/// The item was queued. Ids are counted from 1 per connection.
#[ws_message("DATA_ACK")]
pub(crate) struct DataAck {
    pub(crate) id: String,
}

/// The queue is full: send again after that time.
#[ws_message("RESOURCE_EXHAUSTED")]
pub(crate) struct ResourceExhausted {
    pub(crate) policy: Policy,
    pub(crate) retry_after_ms: u64,
    pub(crate) queue_depth: usize,
}

/// The policy of a full queue.
#[ws_payload(rename_all = "kebab-case")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    DropOldest,
    DropNew,
    Queue,
}

/// To watchers: the item was processed.
#[ws_message("DATA")]
pub(crate) struct Data {
    pub(crate) client_id: String,
    pub(crate) id: String,
    pub(crate) data: String,
}
