//! Notifications: clients subscribe to topics, and the rest of the system publishes over HTTP,
//! without a socket.
//!
//! | path | content | rows of the checklist |
//! |---|---|---|
//! | `/ws` | `SUBSCRIBE`, `UNSUBSCRIBE`, `NOTIFICATION`; each connection has a topic of its own | 000-14, 000-15, 000-16 |
//! | `POST /api/notify` | publishes to a topic, to a person, or to both | 000-17 |
//! | `GET /stats` | the numbers of connections, topics and subscriptions | 000-14 |
//!
//! ```text
//! PORT=3000 cargo run -p notifications
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`:
//!
//! ```text
//! {"type":"SUBSCRIBE","payload":{"topics":["deploys"]}}
//! ```
//!
//! and in another terminal
//!
//! ```text
//! curl -d '{"type":"success","title":"Deployed","message":"v42 is out","topic":"deploys"}' -H 'content-type: application/json' localhost:3000/api/notify
//! ```
//!
//! Rights to publish and to subscribe are not checked here; the example `auth-jwt` shows how.

mod http;
mod messages;
mod names;

use axum::{
    Router,
    routing::{get, post},
};
use switchboard::{Conn, Hub, WsError, WsRouter, ws_route};

use self::messages::{Subscribe, SubscribeSuccess, Unsubscribe, UnsubscribeSuccess, Welcome};

/// Returns the application, with a hub of its own.
pub fn app() -> Router {
    // The WebSocket and the HTTP routes share the topics.
    let hub = Hub::new();
    let ws = WsRouter::new().hub(hub.clone()).on_open(opened).on(subscribe).on(unsubscribe);
    Router::new()
        .route("/ws", ws_route(ws))
        .route("/api/notify", post(http::notify))
        .route("/stats", get(http::stats))
        .with_state(hub)
}

/// The subscriptions of a connection end with it.
async fn opened(conn: Conn) -> Result<(), WsError> {
    let client_id = conn.id().to_string();
    conn.subscribe(names::user(&client_id)).await?;
    conn.send(Welcome { client_id })?;
    Ok(())
}

/// All of them, or none.
async fn subscribe(conn: Conn, subscribe: Subscribe) -> Result<SubscribeSuccess, WsError> {
    conn.subscribe_many(subscribe.topics.iter().map(|name| names::topic(name))).await?;
    Ok(SubscribeSuccess { topics: subscribe.topics })
}

async fn unsubscribe(conn: Conn, unsubscribe: Unsubscribe) -> Result<UnsubscribeSuccess, WsError> {
    conn.unsubscribe_many(unsubscribe.topics.iter().map(|name| names::topic(name))).await?;
    Ok(UnsubscribeSuccess { topics: unsubscribe.topics })
}
