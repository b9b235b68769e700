//! A chat with rooms: names, members, the last messages, typing notices, several tabs per person.
//!
//! | file | content |
//! |---|---|
//! | `messages.rs` | the messages between page and server |
//! | `handlers.rs` | their handlers |
//! | `session.rs` | the data of a connection |
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

/// Returns the whole application: the page, the WebSocket at `/ws` and the HTTP routes, with people
/// and rooms of its own.
pub fn app() -> Router {
    let store = Arc::new(Store::new());
    // Every client may connect. It authenticates in band, with AUTHENTICATE.
    let chat = Chat::new(Arc::clone(&store)).router().authenticate(async || Ok::<_, Infallible>(Session::guest()));
    http::with_layers(http::router(store).route("/ws", ws_route(chat)))
}
