//! Rooms spread over shards: which one a room is in follows from its name alone, so that any process
//! knows it without asking. Each shard is a hub of its own with at most 100 connections.
//!
//! | path | what | rows of the checklist |
//! |---|---|---|
//! | `/ws?room=general` | a room, in its shard: `SEND_MESSAGE`, `ROOM_UPDATE` | 001-5 |
//! | `GET /shards` | what each shard holds | 001-5 |
//!
//! Here all shards are in one process. In several, [`shard_of`] is what a balancer sends a room's
//! connections to the right one by.
//!
//! ```text
//! PORT=3000 cargo run -p sharding
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws?room=general`:
//!
//! ```text
//! {"type":"SEND_MESSAGE","payload":{"text":"hi"}}
//! ```
//!
//! With another number of shards most rooms are in another one: that is a move of all that they hold.

mod hash;
mod room;
mod shards;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State, ws::WebSocketUpgrade},
    http::request::Parts,
    response::Response,
    routing::get,
};
use serde::Deserialize;

pub use self::hash::shard_of;
use self::{
    room::RoomId,
    shards::{Load, Shards},
};

/// What stands in the URL.
#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    room: RoomId,
}

/// The application, with ten shards.
pub fn app() -> Router {
    Router::new().route("/ws", get(connect)).route("/shards", get(load)).with_state(Arc::new(Shards::new()))
}

/// Everything about the upgrade itself, the limit included, is up to the shard.
async fn connect(
    State(shards): State<Arc<Shards>>,
    Query(Address { room }): Query<Address>,
    upgrade: WebSocketUpgrade,
    parts: Parts,
) -> Response {
    shards.connect(room, upgrade, parts).await
}

async fn load(State(shards): State<Arc<Shards>>) -> Json<Vec<Load>> {
    Json(shards.load())
}
