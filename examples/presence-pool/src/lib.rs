//! Connected users, their devices and their pools.
//!
//! | path | content | rows of the checklist |
//! |---|---|---|
//! | `/ws?user=ann` | `JOIN_POOL`, `LEAVE_POOL`, `SET_STATUS`; publishes `PRESENCE` | 003-8, 002-29 |
//! | `GET /connections` | all connections: user, start, last activity, pools | 002-28 |
//! | `GET /users/{id}`, `POST /users/{id}/notify` | a user's devices, and a message to all of them | 002-29 |
//! | `GET /pools/{id}`, `GET /stats` | the members of a pool; counts | 003-8, 002-29 |
//!
//! ```text
//! PORT=3000 cargo run -p presence-pool
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws?user=ann`:
//!
//! ```text
//! {"type":"JOIN_POOL","payload":{"poolId":"red"}}
//! ```
//!
//! A pool is a topic of the hub, which exists while it has subscribers. This example keeps no list
//! of connections.

mod messages;
mod pages;

use axum::{
    Router,
    extract::Query,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use switchboard::{AnyMessage, Authenticated, Conn, Hub, Identity, UserEvent, UserEvents, WsError, WsRouter, ws_route};

use self::messages::{JoinPool, LeavePool, Presence, SetStatus, UserJoinedPool, UserLeftPool};

/// The prefix of pools' topics.
const POOL: &str = "pool:";

/// The topic of all users' presence.
const PRESENCE: &str = "presence";

/// The user of a connection.
#[derive(Debug, Deserialize)]
struct User {
    user: String,
}

/// Returns the application. Call it inside a runtime, which runs the task that publishes presence.
pub fn app() -> Router {
    let hub = Hub::new();
    tokio::spawn(tell_presence(hub.user_events(), hub.clone()));
    Router::new()
        .route("/ws", ws_route(ws(&hub)))
        .route("/connections", get(pages::connections))
        .route("/users/{id}", get(pages::user))
        .route("/users/{id}/notify", post(pages::notify))
        .route("/pools/{id}", get(pages::pool))
        .route("/stats", get(pages::stats))
        .with_state(hub)
}

fn ws(hub: &Hub) -> WsRouter<Hub, User, AnyMessage, Authenticated> {
    WsRouter::new()
        .hub(hub.clone())
        .authenticate(authenticate)
        .identify(|user: &User| Some(Identity::new(user.user.as_str())))
        .on_open(async |conn: Conn<User>| conn.subscribe(PRESENCE).await.map(drop))
        .on(join_pool)
        .on(leave_pool)
        .on(set_status)
        .on_close(leave_all)
}

/// A real application verifies a token here: see the example auth-jwt.
async fn authenticate(Query(user): Query<User>) -> Result<User, StatusCode> {
    if (1..=50).contains(&user.user.len()) { Ok(user) } else { Err(StatusCode::UNAUTHORIZED) }
}

async fn join_pool(conn: Conn<User>, hub: Hub, join: JoinPool) -> Result<(), WsError> {
    let topic = topic(&join.pool_id);
    if conn.subscribe(&topic).await? {
        let joined =
            UserJoinedPool { user_id: conn.data().user.clone(), pool_size: hub.topic(&topic).local_subscriber_count() };
        conn.publish(topic, joined).except_self().await?;
    }
    Ok(())
}

async fn leave_pool(conn: Conn<User>, hub: Hub, leave: LeavePool) -> Result<(), WsError> {
    let topic = topic(&leave.pool_id);
    if !conn.unsubscribe(&topic).await? {
        return Err(WsError::failed_precondition("You are not in this pool"));
    }
    let left =
        UserLeftPool { user_id: conn.data().user.clone(), pool_size: hub.topic(&topic).local_subscriber_count() };
    hub.publish(topic, left).await?;
    Ok(())
}

async fn set_status(conn: Conn<User>, set: SetStatus) -> Result<(), WsError> {
    conn.attributes().insert(set.status)?;
    Ok(())
}

/// The connection counts until its close hooks have run.
async fn leave_all(conn: Conn<User>, hub: Hub) -> Result<(), WsError> {
    for topic in conn.topics().into_iter().filter(|topic| topic.starts_with(POOL)) {
        let pool_size = hub.topic(&topic).local_subscriber_count().saturating_sub(1);
        let left = UserLeftPool { user_id: conn.data().user.clone(), pool_size };
        conn.publish(topic, left).except_self().await?;
    }
    Ok(())
}

/// Publishes when the first device of a user connects and the last one leaves, for as long as the
/// application runs.
async fn tell_presence(mut events: UserEvents, hub: Hub) {
    while let Some(event) = events.next().await {
        let (user_id, online) = match event {
            UserEvent::Online { user, .. } => (user, true),
            UserEvent::Offline { user, .. } => (user, false),
            _ => continue,
        };
        let presence = Presence { user_id: user_id.as_ref().to_owned(), online };
        // A user's own devices are excluded.
        let others = hub.topic(PRESENCE).local_members().filter(|conn| conn.user().as_deref() != Some(&*user_id));
        for conn in others {
            // Fails for a connection that is closing, which needs no message.
            _ = conn.send(presence.clone());
        }
    }
}

fn topic(pool_id: &str) -> String {
    format!("{POOL}{pool_id}")
}
