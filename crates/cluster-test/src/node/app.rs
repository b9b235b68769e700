//! The application.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::{Query, State},
};
use serde::Deserialize;
use switchboard::{Conn, Hub, WsError, WsRouter, cluster::Health, extract::FromUpgrade, ws_message, ws_route, ws_rpc};

use crate::planted::{OneIn, Planted};

/// The close code of a kicked connection, with the command's token as reason.
const KICKED: u16 = 4503;

/// A message of a topic.
#[ws_message("SAID")]
#[derive(Debug, Clone)]
struct Said {
    topic: u32,
    client: u32,
    life: u32,
    n: u32,
}

/// A message for a user.
#[ws_message("TOLD")]
struct Told {
    token: u64,
}

#[ws_message("DONE")]
struct Done {}

/// How many connections a command has reached.
#[ws_message("COUNT")]
struct Count {
    count: u32,
}

#[ws_message("IS_ONLINE")]
struct IsOnline {
    online: bool,
}

#[ws_message("STATE")]
struct NodeState {
    healthy: bool,
    /// The other nodes that this one knows.
    nodes: u32,
}

#[ws_rpc("JOIN", response = Done)]
struct Join {
    topic: u32,
}

#[ws_rpc("SAY", response = Done)]
struct Say {
    topic: u32,
    client: u32,
    life: u32,
    n: u32,
}

#[ws_rpc("TELL", response = Count)]
struct Tell {
    user: u32,
    token: u64,
}

#[ws_rpc("REVOKE", response = Count)]
struct Revoke {
    user: u32,
    topic: u32,
}

#[ws_rpc("KICK", response = Count)]
struct Kick {
    user: u32,
    token: u64,
}

#[ws_rpc("ONLINE", response = IsOnline)]
struct Online {
    user: u32,
}

#[ws_rpc("HEALTH", response = NodeState)]
struct AskHealth {}

#[derive(Debug, Clone, Deserialize)]
struct AsUser {
    user: u32,
}

/// Chooses publishes for a planted fault.
#[derive(Debug)]
pub(super) struct Choice {
    planted: Option<Planted>,
    choice: Mutex<OneIn>,
}

impl Choice {
    pub(super) fn new(planted: Option<Planted>, one_in: u64) -> Self {
        Self { planted, choice: Mutex::new(OneIn::new(one_in)) }
    }

    fn take(&self) -> Option<Planted> {
        let concerns = matches!(self.planted, Some(Planted::Forget | Planted::Refuse | Planted::Hang));
        let is_chosen = || self.choice.lock().unwrap_or_else(PoisonError::into_inner).choose();
        self.planted.filter(|_| concerns && is_chosen())
    }
}

pub(super) fn app(hub: &Hub, choice: Choice) -> Router {
    let ws = WsRouter::new()
        .hub(hub.clone())
        .on_open(identify)
        .on(join)
        .on(say)
        .on(tell)
        .on(revoke)
        .on(kick)
        .on(online)
        .on(health);
    Router::new().route("/ws", ws_route(ws)).with_state(Arc::new(choice))
}

async fn identify(conn: Conn, FromUpgrade(query): FromUpgrade<Query<AsUser>>) -> Result<(), WsError> {
    conn.identify(user(query.user))?;
    Ok(())
}

async fn join(conn: Conn, join: Join) -> Result<Done, WsError> {
    conn.subscribe(topic(join.topic)).await?;
    Ok(Done {})
}

async fn say(conn: Conn, State(choice): State<Arc<Choice>>, say: Say) -> Result<Done, WsError> {
    let Say { topic: to, client, life, n } = say;
    let planted = choice.take();
    match planted {
        Some(Planted::Forget) => return Ok(Done {}),
        Some(Planted::Hang) => return std::future::pending().await,
        _ => {}
    }
    conn.publish(topic(to), Said { topic: to, client, life, n }).await?;
    if planted == Some(Planted::Refuse) { Err(WsError::unavailable("refused as planted")) } else { Ok(Done {}) }
}

async fn tell(conn: Conn, tell: Tell) -> Result<Count, WsError> {
    let reached = conn.hub().user(user(tell.user)).send(Told { token: tell.token }).await?;
    Ok(Count { count: count(*reached) })
}

async fn revoke(conn: Conn, revoke: Revoke) -> Count {
    Count { count: count(*conn.hub().user(user(revoke.user)).revoke(topic(revoke.topic)).await) }
}

async fn kick(conn: Conn, kick: Kick) -> Count {
    let reached = conn.hub().user(user(kick.user)).disconnect_with(KICKED, kick.token.to_string()).await;
    Count { count: count(*reached) }
}

async fn online(conn: Conn, State(choice): State<Arc<Choice>>, ask: Online) -> IsOnline {
    let is_online = conn.hub().user(user(ask.user)).is_online().await;
    IsOnline { online: is_online || choice.planted == Some(Planted::Ghost) }
}

async fn health(conn: Conn, _: AskHealth) -> NodeState {
    let hub = conn.hub();
    NodeState {
        healthy: hub.health() == Some(Health::Healthy),
        nodes: count(hub.cluster_stats().map_or(0, |stats| stats.nodes)),
    }
}

fn topic(number: u32) -> String {
    format!("room:{number}")
}

fn user(number: u32) -> String {
    format!("user-{number}")
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
