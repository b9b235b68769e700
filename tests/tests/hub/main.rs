//! The hub: who is connected, with what, and how others reach them. Over real sockets.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod attributes;
mod connections;
mod events;
mod handles;
mod queued;
mod sharing;
mod users;

use std::time::SystemTime;

use axum::{Router, extract::Query, http::StatusCode};
use serde::Deserialize;
use serde_json::json;
use switchboard::{Authenticated, Conn, ConnId, ConnRef, Hub, Identity, WsError, WsRouter, ws_message};
use switchboard_tests::{
    client::{Client, PATIENCE, Server},
    serve::ws_route,
};

/// The data of a connection: who the query says it is, nobody for none.
#[derive(Deserialize)]
struct User {
    user: Option<String>,
}

#[ws_message("NOTICE")]
struct Notice {
    #[validate(length(max = 20))]
    text: String,
}

impl Notice {
    fn new(text: &str) -> Self {
        Self { text: text.into() }
    }
}

#[ws_message("PING")]
struct Ping {}

#[ws_message("PONG")]
struct Pong {}

#[ws_message("JOIN")]
struct Join {
    topic: String,
}

#[ws_message("AUTH")]
struct Auth {
    user: String,
}

async fn ping(_: Ping) -> Pong {
    Pong {}
}

async fn join(conn: Conn<User>, join: Join) -> Result<Pong, WsError> {
    conn.subscribe(join.topic).await?;
    Ok(Pong {})
}

async fn auth(conn: Conn<User>, auth: Auth) -> Result<Pong, WsError> {
    conn.identify(auth.user)?;
    Ok(Pong {})
}

async fn authenticate(Query(user): Query<User>) -> Result<User, StatusCode> {
    Ok(user)
}

type Ws = WsRouter<(), User, switchboard::AnyMessage, Authenticated>;

fn router(hub: &Hub) -> Ws {
    WsRouter::new()
        .hub(hub.clone())
        .identify(|user: &User| user.user.as_deref().map(Identity::from))
        .on(ping)
        .on(join)
        .on(auth)
        .authenticate(authenticate)
}

fn serve(hub: &Hub) -> Server {
    Server::start(Router::new().route("/ws", ws_route(router(hub))))
}

fn id(client: &Client) -> ConnId {
    client.headers["x-client-id"].to_str().unwrap().parse().unwrap()
}

async fn connect(server: &Server, user: &str) -> Client {
    server.connect(&format!("/ws?user={user}")).await
}

/// The same, and how the hub sees it.
async fn connected(server: &Server, hub: &Hub) -> (Client, ConnRef) {
    let client = server.connect("/ws").await;
    let conn = hub.local_connection(id(&client)).unwrap();
    (client, conn)
}

async fn request(client: &mut Client, message_type: &str, payload: serde_json::Value) {
    client.send(message_type, payload).await;
    client.expect("PONG").await;
}

async fn join_topic(client: &mut Client, topic: &str) {
    request(client, "JOIN", json!({ "topic": topic })).await;
}

/// Lets others run until something holds.
async fn until(what: impl Fn() -> bool) {
    let wait = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

/// As precise as the hub's times.
fn now() -> SystemTime {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(now.as_millis()).unwrap())
}
