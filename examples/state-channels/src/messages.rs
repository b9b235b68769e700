//! The messages between client and server.

use serde_json::{Map, Value};
use switchboard::ws_message;

/// The content of an update: any JSON object that the application likes.
pub(crate) type Payload = Map<String, Value>;

#[ws_message("STATE_UPDATE")]
#[derive(Debug)]
pub(crate) struct StateUpdate {
    #[validate(range(min = 1))]
    pub(crate) seq: u64,
    pub(crate) payload: Payload,
}

#[ws_message("CATCH_UP_REQUEST")]
pub(crate) struct CatchUpRequest {
    pub(crate) from_seq: u64,
}

#[ws_message("STATE_SYNC")]
pub(crate) struct StateSync {
    pub(crate) seq: u64,
    pub(crate) payload: Payload,
}

#[ws_message("SEQUENCE_GAP")]
pub(crate) struct SequenceGap {
    pub(crate) expected_seq: u64,
    pub(crate) received_seq: u64,
    pub(crate) resume_from: u64,
}
