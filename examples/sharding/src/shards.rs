//! The shards, which are independent of each other.

use std::num::NonZeroU32;

use axum::{
    extract::ws::WebSocketUpgrade,
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use switchboard::{Hub, MountedRouter};

use crate::{
    room::{self, Place, RoomId},
    shard_of,
};

/// The number of shards.
const SHARDS: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");

/// How many connections a shard accepts. Others get 503.
const MAX_CONNECTIONS: usize = 100;

/// All of them, by number.
#[derive(Debug)]
pub(crate) struct Shards(Vec<Shard>);

#[derive(Debug)]
struct Shard {
    hub: Hub,
    ws: MountedRouter<Place>,
}

/// The content of a shard.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Load {
    shard: usize,
    connections: usize,
    rooms: usize,
}

impl Shards {
    pub(crate) fn new() -> Self {
        let shard = |_| {
            let hub = Hub::builder().max_connections(MAX_CONNECTIONS).build();
            Shard { ws: room::ws().hub(hub.clone()).mount(), hub }
        };
        Self((0..SHARDS.get()).map(shard).collect())
    }

    /// Accepts an upgrade in the room's shard.
    pub(crate) async fn connect(&self, room: RoomId, upgrade: WebSocketUpgrade, parts: Parts) -> Response {
        let number = shard_of(&room.topic(), SHARDS);
        match self.0.get(number as usize) {
            Some(shard) => shard.ws.on_upgrade(upgrade, parts, Place { room, shard: number }).await,
            None => axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }

    pub(crate) fn load(&self) -> Vec<Load> {
        let load = |(shard, stats): (usize, switchboard::HubStats)| Load {
            shard,
            connections: stats.connections,
            rooms: stats.topics,
        };
        self.0.iter().map(|shard| shard.hub.stats()).enumerate().map(load).collect()
    }
}
