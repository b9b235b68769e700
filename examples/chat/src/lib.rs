//! A chat with rooms: names, members, the last messages, typing notices, several tabs per person.
//!
//! | file | what it holds |
//! |---|---|
//! | `messages.rs` | what travels between page and server |
//! | `handlers.rs` | what the server does with it |
//! | `session.rs` | what is known about one connection |
//! | `store.rs` | people and rooms, in memory |
//! | `http.rs` | the page, `GET /stats`, `GET /health` |

mod handlers;
mod http;
mod messages;
mod session;
mod store;

use std::{convert::Infallible, sync::Arc};

use axum::Router;
use switchboard::ws_route;

use self::{handlers::Chat, session::Session, store::Store};

/// The whole application: the page, the WebSocket at `/ws` and the HTTP routes, with people and
/// rooms of its own.
pub fn app() -> Router {
    let store = Arc::new(Store::new());
    // Everyone may connect; who they are comes in band, with AUTHENTICATE.
    let chat = Chat::new(Arc::clone(&store)).router().authenticate(async || Ok::<_, Infallible>(Session::guest()));
    http::with_layers(http::router(store).route("/ws", ws_route(chat)))
}
