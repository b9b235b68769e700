//! Layers around handlers, over real sockets.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod extractors;
mod order;
mod provided;
mod rate_limit_stores;
mod rate_limits;
mod retry;
mod tower_layers;

use std::sync::{Arc, Mutex};

use axum::Router;
use switchboard::{Failure, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{client::Server, serve::ws_route};

#[ws_message("PING")]
struct Ping {}

#[ws_message("PONG")]
struct Pong {}

#[ws_message("SUM")]
struct Sum {
    result: i32,
}

#[ws_rpc("ADD", response = Sum)]
struct Add {
    a: i32,
    b: i32,
}

async fn ping(_: Ping) -> Pong {
    Pong {}
}

async fn add(add: Add) -> Sum {
    Sum { result: add.a + add.b }
}

fn serve<D: Send + Sync + 'static>(ws: WsRouter<(), D>) -> Server
where
    switchboard::Open: switchboard::Produces<D>,
{
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

/// Returns what the server's log says of a failure, which no client is told.
fn source(failure: &Failure) -> String {
    std::error::Error::source(failure.error()).map(ToString::to_string).unwrap_or_default()
}

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
