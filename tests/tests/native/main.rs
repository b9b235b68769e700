//! What the native engine survives: rows of the fault list and of the protocol that axum's
//! `WebSocket` leaves to others or does in another way. Over raw sockets.

mod frames;
mod pressure;
mod publishing;

use axum::{Router, extract::State, routing::get};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use switchboard::{Config, Conn, WsError, WsRouter, ws_message, ws_route};
use switchboard_tests::client::Server;

#[ws_message("PING")]
struct Ping {}

#[ws_message("PONG")]
struct Pong {}

#[ws_message("HANG")]
struct Hang {}

#[ws_message("WAIT")]
struct Wait {
    ms: u64,
}

#[ws_message("FLOOD")]
struct Flood {
    count: u32,
    bytes: usize,
}

#[ws_message("PAD")]
struct Pad {
    n: u32,
    pad: String,
}

/// How many handlers were dropped.
#[derive(Clone, Default)]
struct Dropped(Arc<AtomicUsize>);

struct Guard(Dropped);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, SeqCst);
    }
}

async fn ping(_: Ping) -> Pong {
    Pong {}
}

async fn hang(State(dropped): State<Dropped>, _: Hang) {
    let _guard = Guard(dropped);
    std::future::pending().await
}

async fn wait(wait: Wait) -> Pong {
    tokio::time::sleep(std::time::Duration::from_millis(wait.ms)).await;
    Pong {}
}

/// Sends without ever waiting for room.
async fn flood(conn: Conn, flood: Flood) -> Result<(), WsError> {
    for n in 0..flood.count {
        conn.send(Pad { n, pad: "x".repeat(flood.bytes) })?;
    }
    Ok(())
}

fn serve(config: Config) -> Server {
    let ws = WsRouter::new().config(config).on(ping).on(hang).on(wait).on(flood);
    let count = async |State(dropped): State<Dropped>| -> axum::Json<Value> {
        axum::Json(json!({ "dropped": dropped.0.load(SeqCst) }))
    };
    Server::start(Router::new().route("/ws", ws_route(ws)).route("/dropped", get(count)).with_state(Dropped::default()))
}
