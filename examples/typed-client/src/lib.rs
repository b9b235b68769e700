//! A live poll in React, typed from the handlers to the components.
//!
//! ```text
//! npm --prefix examples/typed-client/web install && npm --prefix examples/typed-client/web run build
//! cargo run -p typed-client
//! ```
//!
//! Open <http://127.0.0.1:3000> in two tabs, join under two names, and vote. Stop the server, and start it again: the
//! page says what happens, reconnects and votes again.
//!
//! | message | shows | file |
//! |---|---|---|
//! | topic `poll` with `POLL` | a topic that clients subscribe to by themselves; only the newest state is queued | `lib.rs` |
//! | `GET_POLL` | a request without a payload | `handlers.rs` |
//! | `JOIN`, `VOTE`, `ASK` | requests with error codes of their own, such as `NAME_TAKEN` | `handlers.rs`, `web/src/errors.ts` |
//! | `CLOSE_POLL` | progress, and a request that the client may abort | `handlers.rs`, `web/src/components/CloseButton.tsx` |
//!
//! `web/src/poll.gen.ts` is generated. After a change of a message, `UPDATE_CLIENTS=1 cargo test -p typed-client` writes
//! it again, and `npm run build` names each line of the page that no longer fits. Without the variable, the test fails
//! when the file is stale.
//!
//! While you change the page, `npm --prefix examples/typed-client/web run dev` serves it on <http://localhost:5173>, with
//! the WebSocket of the running server.

mod board;
mod handlers;
mod messages;
mod pages;
#[cfg(test)]
mod tests;

use std::path::Path;

use axum::Router;
use switchboard::{Contract, Hub, RouteOptions, TopicOptions, WsRouter, ws_route};

use self::{board::Board, messages::Poll};

/// Where Vite writes the page.
const DIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web/dist");

/// The topic of the poll.
const TOPIC: &str = "poll";

/// Returns the application, with a poll of its own: the page at `/`, the WebSocket at `/ws`.
pub fn app() -> Router {
    app_with_pages(DIST)
}

/// Returns the application with the page in another folder.
pub fn app_with_pages(dist: impl AsRef<Path>) -> Router {
    Router::new()
        .route("/ws", ws_route(router()))
        .with_state(Board::default())
        .fallback_service(pages::router(dist.as_ref()))
}

/// Returns the contract of the WebSocket, from which the client is generated.
pub fn contract() -> Contract {
    router().contract("/ws")
}

fn router() -> WsRouter<Board> {
    // A client that reads slowly skips states instead of queueing all of them.
    let topic = TopicOptions::new().allow_subscribe().carries::<Poll>().conflate_by(|_: &Poll| "poll");
    WsRouter::new()
        .hub(Hub::builder().topic(TOPIC, topic).build())
        .on(handlers::get_poll)
        .on_with(handlers::join, RouteOptions::new().fails_with("NAME_TAKEN").fails_with("POLL_FULL"))
        .on_with(handlers::vote, RouteOptions::new().fails_with("NOT_JOINED").fails_with("POLL_CLOSED"))
        .on_with(handlers::ask, RouteOptions::new().fails_with("NOT_JOINED").fails_with("POLL_OPEN"))
        // Concurrent, so that votes of the same connection do not wait for the countdown.
        .on_with(
            handlers::close_poll,
            RouteOptions::new().concurrent(1).fails_with("NOT_JOINED").fails_with("POLL_CLOSED"),
        )
        .on_close(handlers::leave)
}
