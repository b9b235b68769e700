//! Rooms spread over shards: the shard of a room follows from its name alone, so that any process
//! can compute it. Each shard is a hub of its own with at most 100 connections.
//!
//! | path | content | rows of the checklist |
//! |---|---|---|
//! | `/ws?room=general` | a room, in its shard: `SEND_MESSAGE`, `ROOM_UPDATE` | 001-5 |
//! | `GET /shards` | the content of each shard | 001-5 |
//!
//! Here all shards are in one process. With several, a load balancer uses [`shard_of`] to send a
//! room's connections to the right one.
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
//! Changing the number of shards moves most rooms, with all their connections.

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

/// The query of the URL.
#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    room: RoomId,
}

/// Returns the application, with ten shards.
pub fn app() -> Router {
    Router::new().route("/ws", get(connect)).route("/shards", get(load)).with_state(Arc::new(Shards::new()))
}

/// The shard handles the whole upgrade, including the limit.
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
