//! The participants of a meeting, synchronised to all of them: each change is an operation with a
//! revision. Clients get the operations that they have not seen, or a snapshot if those are not
//! kept any more.
//!
//! | message | from | meaning |
//! |---|---|---|
//! | `JOIN{participantId,name}` | client | joins; answered by a snapshot, or on `/ws?rev=n` by the operations since then |
//! | `UPDATE{patch,baseRev?,clientReqId}` | client | changes its own entry |
//! | `LEAVE` | client | leaves |
//! | `HEARTBEAT` | client | is still there: it is removed after 45 s without any message |
//! | `SYNC.SNAPSHOT{rev,participants}` | server | the whole state |
//! | `SYNC.DELTAS{fromRev,toRev,operations}` | server | the operations since `fromRev` |
//! | `REVISION_GAP{expectedRev,serverRev,bufferFirstRev,resumeFrom}` | server | those operations are not kept any more: a snapshot follows |
//!
//! The last 1024 operations are kept. A participant whose connection is lost is `away` until it
//! returns or is removed. An update with `baseRev` names the revision that it is based on; if that
//! is not kept any more, the update is not applied, and the client gets a gap and a snapshot.
//!
//! | file | content | rows of the checklist |
//! |---|---|---|
//! | `room.rs`, `meeting.rs`, `ring.rs` | the server: one task, the state, the last operations | 001-3 |
//! | `operation.rs` | a change, for both ends | 001-3, 001-4 |
//! | `client.rs` | the client's part: [`Replica`], with changes that the server has not confirmed | 001-4 |
//!
//! ```text
//! PORT=3000 cargo run -p delta-sync
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`:
//!
//! ```text
//! {"type":"JOIN","payload":{"participantId":"ann","name":"Ann"}}
//! {"type":"UPDATE","payload":{"patch":{"status":"away"},"clientReqId":"1"}}
//! ```

mod client;
mod meeting;
mod messages;
mod operation;
mod ring;
mod room;

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::{Query, State},
};
use serde::Deserialize;
use switchboard::{AnyMessage, Authenticated, Conn, WsError, WsRouter, ws_route};

pub use self::{
    client::{Replica, ReplicaError},
    messages::{Participant, Patch, Status},
};
use self::{
    messages::{Heartbeat, Join, Leave, Update},
    room::{Command, Room},
};

/// The data of a connection.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Visit {
    /// The revision that the client has.
    rev: Option<u64>,
}

type Client = Conn<Visit>;

/// Returns the application, with an empty meeting.
///
/// # Panics
///
/// Outside of a Tokio runtime.
pub fn app() -> Router {
    app_with(Duration::from_secs(45), Duration::from_secs(15))
}

/// Returns the application, which removes participants that were silent for `stale`, and checks for
/// them every `sweep`.
///
/// # Panics
///
/// Outside of a Tokio runtime, and if `sweep` is zero.
pub fn app_with(stale: Duration, sweep: Duration) -> Router {
    Router::new().route("/ws", ws_route(ws())).with_state(Room::open(stale, sweep))
}

fn ws() -> WsRouter<Room, Visit, AnyMessage, Authenticated> {
    WsRouter::new()
        .authenticate(async |Query(visit): Query<Visit>| Ok::<_, Infallible>(visit))
        .on(join)
        .on(update)
        .on(leave)
        .on(heartbeat)
        .on_close(closed)
}

async fn join(client: Client, State(room): State<Room>, join: Join) -> Result<(), WsError> {
    room.ask(|answer| Command::Join(client, join, answer)).await
}

async fn update(client: Client, State(room): State<Room>, update: Update) -> Result<(), WsError> {
    room.ask(|answer| Command::Update(client, update, answer)).await
}

async fn leave(client: Client, State(room): State<Room>, _: Leave) -> Result<(), WsError> {
    room.tell(Command::Leave(client.id())).await
}

async fn heartbeat(client: Client, State(room): State<Room>, _: Heartbeat) -> Result<(), WsError> {
    room.tell(Command::Heartbeat(client.id())).await
}

async fn closed(client: Client, State(room): State<Room>) -> Result<(), WsError> {
    room.tell(Command::Closed(client.id())).await
}
