//! A shared state that clients change by numbered updates. Each client numbers its own, the server
//! numbers all: missing updates are noticed, repeated ones have no effect, and missed ones are sent
//! again.
//!
//! | message | from | meaning |
//! |---|---|---|
//! | `STATE_UPDATE{seq,payload}` | client | its update number `seq`, counted from 1 |
//! | `STATE_SYNC{seq,payload}` | server | update number `seq` of all |
//! | `SEQUENCE_GAP{expectedSeq,receivedSeq,resumeFrom}` | server | the update was not applied, since one before it is missing; or: updates before `receivedSeq` are not kept any more |
//! | `CATCH_UP_REQUEST{fromSeq}` | client | requests the stored updates from there on |
//!
//! The next update is applied, sent to all connected clients, and stored: the last 1024, and at
//! most 512 KiB. A repeated update has no effect, and is answered to its client only, with its
//! `STATE_SYNC`, or with one made from the repeated message if it is not stored any more.
//! `resumeFrom` of a gap follows the client's last update.
//!
//! One task numbers and publishes, so that all clients see all updates in the same order.
//!
//! ```text
//! PORT=3000 cargo run -p state-channels
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`:
//!
//! ```text
//! {"type":"STATE_UPDATE","payload":{"seq":1,"payload":{"light":"on"}}}
//! {"type":"STATE_UPDATE","payload":{"seq":3,"payload":{"light":"off"}}}
//! {"type":"CATCH_UP_REQUEST","payload":{"fromSeq":1}}
//! ```

mod channel;
mod history;
mod messages;

use std::convert::Infallible;

use axum::{Router, extract::State};
use switchboard::{AnyMessage, Authenticated, Config, Conn, Hub, WsError, WsRouter, ws_route};

use self::{
    channel::{Channel, Progress},
    history::MAX_BYTES,
    messages::{CatchUpRequest, StateUpdate},
};

/// The largest message from a client.
const MAX_MESSAGE: usize = 16 * 1024;

/// Returns the application, with an empty state.
///
/// # Panics
///
/// Outside of a Tokio runtime.
pub fn app() -> Router {
    app_keeping(1024)
}

/// Returns the application, which stores this many updates.
///
/// # Panics
///
/// Outside of a Tokio runtime.
pub fn app_keeping(updates: usize) -> Router {
    let hub = Hub::new();
    let channel = Channel::start(hub.clone(), updates);
    Router::new().route("/ws", ws_route(ws().hub(hub))).with_state(channel)
}

fn ws() -> WsRouter<Channel, Progress, AnyMessage, Authenticated> {
    // All stored updates fit into the queue of a client that requests them.
    let config = Config::new().max_message_bytes(MAX_MESSAGE).max_outbound_bytes(4 * MAX_BYTES);
    WsRouter::new()
        .config(config)
        .authenticate(async || Ok::<_, Infallible>(Progress::default()))
        .on_open(opened)
        .on(update)
        .on(catch_up)
}

async fn opened(conn: Conn<Progress>) -> Result<(), WsError> {
    conn.subscribe(channel::TOPIC).await?;
    Ok(())
}

async fn update(conn: Conn<Progress>, State(channel): State<Channel>, update: StateUpdate) -> Result<(), WsError> {
    channel.update(conn, update).await
}

async fn catch_up(conn: Conn<Progress>, State(channel): State<Channel>, from: CatchUpRequest) -> Result<(), WsError> {
    // A client that requests updates repeatedly has to read them.
    conn.ready().await?;
    channel.catch_up(conn, from.from_seq).await
}
