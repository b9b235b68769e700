//! The messages of the conformance server.

use serde_json::{Map, Value};
use switchboard::{ws_message, ws_meta, ws_payload, ws_rpc};

#[ws_message("PING")]
pub(super) struct Ping {
    #[validate(length(min = 1, max = 100))]
    pub(super) text: String,
}

#[ws_message("PONG")]
pub(super) struct Pong {
    pub(super) text: String,
}

#[ws_message("EMPTY")]
pub(super) struct Empty;

#[ws_message("EMPTY_OK")]
pub(super) struct EmptyOk;

#[ws_meta]
pub(super) struct RoomMeta {
    pub(super) room_id: String,
}

#[ws_message("ROOM_NOTE", meta = RoomMeta)]
pub(super) struct RoomNote {
    pub(super) text: String,
}

#[ws_message("ROOM_NOTED")]
pub(super) struct RoomNoted {
    pub(super) text: String,
    pub(super) room_id: String,
}

#[ws_message("SUM")]
pub(super) struct Sum {
    pub(super) result: f64,
}

#[ws_rpc("ADD", response = Sum)]
pub(super) struct Add {
    pub(super) a: f64,
    pub(super) b: f64,
}

#[ws_message("SLEPT")]
pub(super) struct Slept {
    #[ws(safe)]
    pub(super) ms: u64,
}

#[ws_rpc("SLEEP", response = Slept)]
pub(super) struct Sleep {
    #[validate(range(max = 60000))]
    pub(super) ms: u64,
}

/// The id may be any JSON.
#[ws_message("SLOW")]
pub(super) struct Slow {
    pub(super) id: Value,
    #[validate(range(max = 5000))]
    pub(super) ms: u64,
}

#[ws_message("DONE")]
pub(super) struct Done {
    pub(super) id: Value,
}

#[ws_rpc("FAIL", response = Sum)]
pub(super) struct Fail {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) details: Option<Map<String, Value>>,
    /// Absent, null and a number have different meanings.
    #[serde(default, deserialize_with = "present")]
    pub(super) retry_after_ms: Option<Option<u64>>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

#[ws_payload]
pub(super) struct CountStep {
    pub(super) n: u32,
}

#[ws_message("COUNTED")]
pub(super) struct Counted {
    pub(super) total: u32,
}

#[ws_rpc("COUNT", response = Counted, progress = CountStep)]
pub(super) struct Count {
    #[validate(range(min = 1, max = 1000))]
    pub(super) to: u32,
}

#[ws_message("AUTH")]
pub(super) struct Auth {
    pub(super) token: String,
}

#[ws_message("AUTHED")]
pub(super) struct Authed {
    pub(super) user: String,
}

#[ws_message("INSPECTED")]
pub(super) struct Inspected {
    #[ws(safe)]
    pub(super) running: usize,
    #[ws(safe)]
    pub(super) dropped: u64,
    #[ws(safe)]
    pub(super) connections: usize,
}

#[ws_rpc("INSPECT", response = Inspected)]
pub(super) struct Inspect {}

#[ws_message("ANSWER")]
pub(super) struct Answer {
    pub(super) text: String,
}

/// Sent by the server.
#[ws_rpc("ASK", response = Answer)]
pub(super) struct Ask {
    pub(super) question: String,
}

#[ws_message("ASK_ME")]
pub(super) struct AskMe {
    pub(super) question: String,
}

#[ws_message("ANSWERED")]
pub(super) struct Answered {
    pub(super) text: String,
}

#[ws_message("KICKED")]
pub(super) struct Kicked {
    pub(super) found: bool,
}

#[ws_rpc("KICK", response = Kicked)]
pub(super) struct Kick {
    pub(super) client_id: String,
}

#[ws_message("FLOOD")]
pub(super) struct Flood {
    #[validate(range(max = 100_000))]
    pub(super) count: u32,
    #[validate(range(max = 4096))]
    pub(super) bytes: usize,
}

#[ws_message("COUNT_ITEM")]
pub(super) struct CountItem {
    pub(super) n: u32,
    pub(super) pad: String,
}

#[ws_rpc("PANIC", response = Sum)]
pub(super) struct Panic {}

#[ws_message("JOIN")]
pub(super) struct Join {
    pub(super) topic: String,
}

#[ws_message("JOINED")]
pub(super) struct Joined {
    pub(super) topic: String,
    #[ws(safe)]
    pub(super) members: usize,
}

#[ws_message("LEAVE")]
pub(super) struct Leave {
    pub(super) topic: String,
}

#[ws_message("LEFT")]
pub(super) struct Left {
    pub(super) topic: String,
    #[ws(safe)]
    pub(super) members: usize,
}

#[ws_message("SAY")]
pub(super) struct Say {
    pub(super) topic: String,
    #[validate(length(min = 1, max = 1000))]
    pub(super) text: String,
    #[serde(default)]
    pub(super) include_self: bool,
}

#[ws_message("SAID")]
pub(super) struct Said {
    pub(super) topic: String,
    pub(super) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
}

#[ws_rpc("WHOAMI", response = Me)]
pub(super) struct WhoAmI {}

#[ws_message("ME")]
pub(super) struct Me {
    pub(super) client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) room: Option<String>,
    pub(super) topics: Vec<String>,
    pub(super) remote_addr: String,
}

#[ws_message("NOTE")]
pub(super) struct Note {
    pub(super) text: String,
}

#[ws_message("JOBBED")]
pub(super) struct Jobbed {
    pub(super) job: String,
    pub(super) runs: u32,
}

#[ws_rpc("JOB", response = Jobbed)]
pub(super) struct Job {
    pub(super) job: String,
    #[validate(range(max = 20000))]
    pub(super) ms: u64,
}
