//! A state that many change by numbered updates. Each client numbers its own, the server numbers all:
//! what is missing is noticed, what comes twice has no effect, and what was missed is sent again.
//!
//! | message | from | what it means |
//! |---|---|---|
//! | `STATE_UPDATE{seq,payload}` | client | its update number `seq`, from 1 |
//! | `STATE_SYNC{seq,payload}` | server | the update that is number `seq` of all |
//! | `SEQUENCE_GAP{expectedSeq,receivedSeq,resumeFrom}` | server | the update was not applied, since one before it is missing; or: updates before `receivedSeq` are not kept any more |
//! | `CATCH_UP_REQUEST{fromSeq}` | client | wants what is kept from there on |
//!
//! An update that is next is applied, sent to all who are connected, and kept: the last 1024, and not
//! more than 512 KiB. One that was applied before has no effect, and is answered to that client only:
//! with its `STATE_SYNC`, or with one of what came, if that is not kept any more. `resumeFrom` of a gap
//! is behind the client's last update.
//!
//! One task numbers and sends, so that all clients see all updates in the same order.
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

/// The application, with nothing in its state.
///
/// # Panics
///
/// Outside of a Tokio runtime.
pub fn app() -> Router {
    app_keeping(1024)
}

/// The application, which keeps so many updates.
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
    // All that is kept fits into the queue of a client who asks for it.
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
    // Who asks again and again has to read, too.
    conn.ready().await?;
    channel.catch_up(conn, from.from_seq).await
}
