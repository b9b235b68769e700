//! The messages between client and server.

use std::collections::BTreeMap;

use switchboard::{ws_message, ws_payload};

use crate::operation::Operation;

/// A participant of the meeting.
#[ws_payload]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The id by which others know it.
    pub id: String,
    /// The name that it chose.
    pub name: String,
    /// Whether it is present.
    pub status: Status,
    /// When it joined or changed something, in milliseconds since 1970 by the server's clock.
    pub last_active: u64,
}

/// The presence of a participant.
#[ws_payload]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is present.
    Online,
    /// It says that it is away, or its connection is lost.
    Away,
    /// It does not want to be seen.
    Offline,
}

/// A participant's change of its own entry.
#[ws_payload]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 50))]
    pub name: Option<String>,
    /// A new status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

// From client to server.

#[ws_message("JOIN")]
#[derive(Debug)]
pub(crate) struct Join {
    #[validate(length(min = 1, max = 50))]
    pub(crate) participant_id: String,
    #[validate(length(min = 1, max = 50))]
    pub(crate) name: String,
}

#[ws_message("UPDATE")]
#[derive(Debug)]
pub(crate) struct Update {
    #[validate(nested)]
    pub(crate) patch: Patch,
    /// The revision that the client had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base_rev: Option<u64>,
    /// Returned with the operation.
    #[validate(length(min = 1, max = 64))]
    pub(crate) client_req_id: String,
}

#[ws_message("LEAVE")]
pub(crate) struct Leave;

#[ws_message("HEARTBEAT")]
pub(crate) struct Heartbeat;

// From server to client.

#[ws_message("SYNC.SNAPSHOT")]
pub(crate) struct SyncSnapshot {
    pub(crate) rev: u64,
    pub(crate) participants: BTreeMap<String, Participant>,
}

#[ws_message("SYNC.DELTAS")]
pub(crate) struct SyncDeltas {
    /// The revision before the first operation.
    pub(crate) from_rev: u64,
    pub(crate) to_rev: u64,
    pub(crate) operations: Vec<Operation>,
}

#[ws_message("REVISION_GAP")]
pub(crate) struct RevisionGap {
    /// The revision that the client has.
    pub(crate) expected_rev: u64,
    pub(crate) server_rev: u64,
    pub(crate) buffer_first_rev: u64,
    /// The revision of the client after the following snapshot.
    pub(crate) resume_from: u64,
}
