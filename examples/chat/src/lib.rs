//! A chat with rooms: names, members, the last messages, typing notices, several tabs per person.
//!
//! | file | content |
//! |---|---|
//! | `messages.rs` | the messages between page and server |
//! | `handlers.rs` | their handlers |
//! | `session.rs` | the data of a connection |
//! | `store.rs` | people and rooms, in memory |
//! | `http.rs` | the page, `GET /stats`, `GET /health` |
//! | `static/client` | the client of the page, generated from `messages.rs` |
//!
//! After a change of a message, `UPDATE_CLIENTS=1 cargo test -p chat` writes the client again. Without the variable, the
//! test fails when it is stale.

mod handlers;
mod http;
mod messages;
mod session;
mod store;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, sync::Arc};

use axum::Router;
use switchboard::{Contract, WsRouter, ws_route};

use self::{
    handlers::Chat,
    messages::{
        AuthSuccess, ChatMessage, DirectMessage, History, JoinSuccess, RoomCreated, RoomList, RoomUsers,
        UserDisconnected, UserJoined, UserLeft, UserTyping, Welcome,
    },
    session::Session,
    store::Store,
};

/// Returns the whole application: the page, the WebSocket at `/ws` and the HTTP routes, with people
/// and rooms of its own.
pub fn app() -> Router {
    let store = Arc::new(Store::new());
    // Every client may connect. It authenticates in band, with AUTHENTICATE.
    let chat = router(&store).authenticate(async || Ok::<_, Infallible>(Session::guest()));
    http::with_layers(http::router(store).route("/ws", ws_route(chat)))
}

/// Returns the contract of the WebSocket, from which the client is generated.
pub fn contract() -> Contract {
    router(&Arc::new(Store::new())).contract("/ws")
}

/// The handlers, and the messages that they send.
fn router(store: &Arc<Store>) -> WsRouter<(), Session> {
    Chat::new(Arc::clone(store))
        .router()
        .emits::<Welcome>()
        .emits::<RoomList>()
        .emits::<AuthSuccess>()
        .emits::<JoinSuccess>()
        .emits::<History>()
        .emits::<RoomUsers>()
        .emits::<UserJoined>()
        .emits::<UserLeft>()
        .emits::<UserDisconnected>()
        .emits::<ChatMessage>()
        .emits::<RoomCreated>()
        .emits::<DirectMessage>()
        .emits::<UserTyping>()
}
