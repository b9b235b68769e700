//! Pings of the protocol, which detect dead connections, and pings of the application, which
//! measure latency.
//!
//! | path | content | rows of the checklist |
//! |---|---|---|
//! | `/ws` | a ping every 30 s, 5 s for the pong; `HEARTBEAT_PING` | 001-16, 002-36, 002-37 |
//! | `/quiet` | the same without pings | 002-36 |
//! | `GET /closed` | the last closed connections: why, and after how long | 001-16, 002-36 |
//!
//! ```text
//! PORT=3000 cargo run -p heartbeat
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`:
//!
//! ```text
//! {"type":"HEARTBEAT_PING","payload":{"timestamp":1700000000000}}
//! ```
//!
//! Stop the client (`kill -STOP`) and look at <http://localhost:3000/closed> after 35 seconds.
//! Browsers answer the protocol's pings by themselves, invisibly to the page. The page gets the
//! close event with the code 1008 and the reason "Heartbeat timeout".

mod messages;
mod record;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, routing::get};
use switchboard::{AnyMessage, Authenticated, CloseReason, Config, Conn, ReceivedAt, WsRouter, ws_route};

use self::{
    messages::{HeartbeatPing, HeartbeatPong},
    record::{Closed, Record},
};

/// The data of a connection.
#[derive(Debug)]
struct Session {
    since: Instant,
    is_stale: AtomicBool,
}

/// Returns the application, with a ping every 30 seconds and five seconds for the pong.
pub fn app() -> Router {
    app_with(Duration::from_secs(30), Duration::from_secs(5))
}

/// Returns the application with other times.
///
/// # Panics
///
/// If one of the times is zero.
pub fn app_with(interval: Duration, timeout: Duration) -> Router {
    let pings = Config::new().ping_interval(interval).pong_timeout(timeout);
    let no_pings = Config::new().ping_interval(None);
    Router::new()
        .route("/ws", ws_route(ws().config(pings)))
        .route("/quiet", ws_route(ws().config(no_pings)))
        .route("/closed", get(closed_page))
        .with_state(Arc::default())
}

fn ws() -> WsRouter<Arc<Record>, Session, AnyMessage, Authenticated> {
    WsRouter::new()
        .authenticate(async || Ok::<_, Infallible>(Session { since: Instant::now(), is_stale: AtomicBool::new(false) }))
        .on(heartbeat_ping)
        .on_stale(stale)
        .on_close(closed)
}

/// Returns how long the message took to arrive, as far as both clocks agree.
async fn heartbeat_ping(at: ReceivedAt, msg: HeartbeatPing) -> HeartbeatPong {
    HeartbeatPong { timestamp: msg.timestamp, latency: at.as_millis().checked_sub(msg.timestamp) }
}

/// Frees what belongs to a client that has vanished. The library closes the connection.
async fn stale(conn: Conn<Session>) {
    conn.data().is_stale.store(true, Relaxed);
}

async fn closed(conn: Conn<Session>, State(record): State<Arc<Record>>, reason: CloseReason) {
    record.add(Closed {
        client_id: conn.id().to_string(),
        code: reason.code().get(),
        reason: reason.reason().to_owned(),
        duration_ms: conn.data().since.elapsed().as_millis(),
        is_stale: conn.data().is_stale.load(Relaxed),
    });
}

async fn closed_page(State(record): State<Arc<Record>>) -> Json<Vec<Closed>> {
    Json(record.all())
}
