//! The server under attack.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use axum::Router;
use switchboard::{Config, Conn, Hub, TopicOptions, WsError, WsRouter, ws_message, ws_rpc};

use crate::serve::ws_route;

#[ws_message("DONE")]
struct Done {}

#[ws_rpc("NOW", response = Done)]
struct Now {}

/// Blocks its thread.
#[ws_rpc("BURN", response = Done)]
struct Burn {
    ms: u64,
}

async fn burn(Burn { ms }: Burn) -> Done {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(ms) {}
    Done {}
}

#[ws_message("BIG")]
struct Big {
    text: String,
}

#[ws_rpc("GET", response = Big)]
struct Get {
    bytes: usize,
}

#[ws_rpc("FAIL", response = Done)]
struct Fail {
    details: HashMap<String, Vec<u32>>,
}

#[ws_rpc("TOPICS", response = Done)]
struct Topics {
    topics: Vec<String>,
}

async fn topics(conn: Conn, Topics { topics }: Topics) -> Result<Done, WsError> {
    conn.set_topics(topics).await?;
    Ok(Done {})
}

/// Returns the application and its hub.
pub fn app() -> (Router, Hub) {
    let hub = Hub::builder().topic("t:*", TopicOptions::new().max_per_connection(10_000)).build();
    let ws = WsRouter::<()>::new()
        .hub(hub.clone())
        .config(Config::new().max_subscriptions(10_000).max_message_bytes(1024 * 1024))
        .on(async |_: Now| Done {})
        .on(burn)
        .on(async |get: Get| Big { text: "x".repeat(get.bytes) })
        .on(async |_: Fail| Done {})
        .on(topics);
    (Router::new().route("/ws", ws_route(ws)), hub)
}
