//! Path parameters, flat envelopes, sets of messages that a route may send, and a chat built from
//! them.
//!
//! | path | content | rows of the checklist |
//! |---|---|---|
//! | `/ws/echo` | one message | 004-1 |
//! | `/ws/chat` | rooms, typing notices, members | 004-3, 004-7, 004-8, 004-13 |
//! | `/ws/rooms/{room_id}` | the room is in the path; the API of a connection | 004-11, 004-12 |
//! | `/ws/games/{game_id}/players/{player_id}` | two parameters | 004-12 |
//!
//! Messages are flat: `{"type":"echo","message":"hi"}`. `/ws/chat` and `/ws/rooms` require a token,
//! `ann-token` or `bob-token`.
//!
//! ```text
//! PORT=3000 cargo run -p path-rooms
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws/chat?token=ann-token`:
//!
//! ```text
//! {"type":"join_room","roomId":"kitchen"}
//! {"type":"chat_message","roomId":"kitchen","message":"hello"}
//! ```

mod chat;
mod echo;
mod games;
mod occupancy;
mod rooms;
mod users;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::Router;
use switchboard::ws_route;

/// Returns the application, with empty rooms.
pub fn app() -> Router {
    Router::new()
        .route("/ws/echo", ws_route(echo::ws()))
        .route("/ws/chat", ws_route(chat::ws()))
        .route("/ws/rooms/{room_id}", ws_route(rooms::ws()))
        .route("/ws/games/{game_id}/players/{player_id}", ws_route(games::ws()))
        .with_state(Arc::default())
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
