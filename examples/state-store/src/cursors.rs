//! The positions of all cursors: many small messages, published as few.

use axum::extract::State;
use switchboard::{Hub, WsError, ws_message, ws_payload};

use crate::{Client, Shared, batch::Batcher};

/// The topic of all connected clients.
pub(crate) const TOPIC: &str = "cursors";

#[ws_message("CURSOR")]
pub(crate) struct Cursor {
    x: f64,
    y: f64,
}

/// To all: the moves within 10 ms, in order.
#[ws_message("CURSORS")]
struct Cursors {
    moves: Vec<Move>,
}

#[ws_payload]
#[derive(Debug)]
pub(crate) struct Move {
    client_id: String,
    x: f64,
    y: f64,
}

pub(crate) fn batcher(hub: Hub) -> Batcher<Move> {
    Batcher::start(move |moves| {
        let hub = hub.clone();
        async move {
            // Fails only if too many messages are queued: the next moves will do.
            let _ = hub.publish(TOPIC, Cursors { moves }).await;
        }
    })
}

pub(crate) async fn cursor(client: Client, State(app): State<Shared>, cursor: Cursor) -> Result<(), WsError> {
    app.cursors.add(Move { client_id: client.id().to_string(), x: cursor.x, y: cursor.y }).await
}
