//! The router and its hooks, over real sockets.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod building;
mod contract;
mod ending;
mod extractors;
mod flat;
mod hooks;
mod in_flight;
mod raw;
mod replies;
mod sending;
mod upgrade_by_hand;

use axum::Router;
use switchboard::{WsRouter, ws_message};
use switchboard_tests::client::Server;
use switchboard_tests::serve::ws_route;

#[ws_message("PING")]
struct Ping {}

#[ws_message("PONG")]
struct Pong {
    text: String,
}

impl Pong {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

fn serve(ws: WsRouter) -> Server {
    Server::start(Router::new().route("/ws", ws_route(ws)))
}
