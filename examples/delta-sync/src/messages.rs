//! What travels between client and server.

use std::collections::BTreeMap;

use switchboard::{ws_message, ws_payload};

use crate::operation::Operation;

/// Somebody in the meeting.
#[ws_payload]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// What the others know it by.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// Whether it is there.
    pub status: Status,
    /// When it joined or changed something, in milliseconds since 1970, by the server's clock.
    pub last_active: u64,
}

/// Whether somebody is there.
#[ws_payload]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Online,
    /// It says that it is not, or its connection is lost.
    Away,
    /// It says that it does not want to be seen.
    Offline,
}

/// What somebody changes of its own entry.
#[ws_payload]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 50))]
    pub name: Option<String>,
    /// Another status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

// Client to server.

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
    /// Comes back with the operation.
    #[validate(length(min = 1, max = 64))]
    pub(crate) client_req_id: String,
}

#[ws_message("LEAVE")]
pub(crate) struct Leave;

#[ws_message("HEARTBEAT")]
pub(crate) struct Heartbeat;

// Server to client.

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
    /// What the client has.
    pub(crate) expected_rev: u64,
    pub(crate) server_rev: u64,
    pub(crate) buffer_first_rev: u64,
    /// What the client has after the snapshot that follows.
    pub(crate) resume_from: u64,
}
