//! The HTTP routes for operators.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use switchboard::{ConnRef, Hub};

use crate::messages::{Notice, Status};

/// A connection.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection {
    client_id: String,
    user_id: Option<String>,
    status: Option<Status>,
    connected_at: u128,
    last_activity: u128,
    pools: Vec<String>,
}

/// A user with all devices.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    online: bool,
    connections: Vec<Connection>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stats {
    connections: usize,
    users: usize,
    pools: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pool {
    size: usize,
    user_ids: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Text {
    text: String,
}

#[derive(Serialize)]
pub(crate) struct Sent {
    devices: usize,
}

pub(crate) async fn connections(State(hub): State<Hub>) -> Json<Vec<Connection>> {
    Json(hub.local_connections().map(|conn| describe(&conn)).collect())
}

pub(crate) async fn user(State(hub): State<Hub>, Path(user): Path<String>) -> Json<User> {
    let ids = hub.user(&user).connections().await;
    let connections =
        ids.into_inner().into_iter().filter_map(|id| hub.local_connection(id)).map(|conn| describe(&conn)).collect();
    Json(User { online: hub.user(&user).is_online().await, connections })
}

pub(crate) async fn notify(
    State(hub): State<Hub>,
    Path(user): Path<String>,
    Json(Text { text }): Json<Text>,
) -> Result<Json<Sent>, (StatusCode, String)> {
    let sent = hub.user(&user).send(Notice { text }).await;
    sent.map(|devices| Json(Sent { devices: *devices })).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

pub(crate) async fn pool(State(hub): State<Hub>, Path(pool): Path<String>) -> Json<Pool> {
    let topic = crate::topic(&pool);
    let user_ids =
        hub.topic(&topic).local_members().filter_map(|conn| conn.user().as_deref().map(str::to_owned)).collect();
    Json(Pool { size: hub.topic(&topic).local_subscriber_count(), user_ids })
}

pub(crate) async fn stats(State(hub): State<Hub>) -> Json<Stats> {
    let stats = hub.stats();
    // The topic of presence is not a pool. It may have been created after the counts were taken.
    let pools = stats.topics.saturating_sub(usize::from(hub.topic(crate::PRESENCE).local_subscriber_count() > 0));
    Json(Stats { connections: stats.connections, users: stats.users, pools })
}

fn describe(conn: &ConnRef) -> Connection {
    let millis = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let pools = conn.topics();
    Connection {
        client_id: conn.id().to_string(),
        user_id: conn.user().as_deref().map(str::to_owned),
        status: conn.attributes().get::<Status>().map(|status| *status),
        connected_at: millis(conn.connected_at()),
        last_activity: millis(conn.last_activity()),
        pools: pools.iter().filter_map(|topic| topic.strip_prefix(crate::POOL)).map(str::to_owned).collect(),
    }
}
