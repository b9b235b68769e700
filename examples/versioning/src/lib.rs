//! A message in two versions: clients send either, handlers see only the newer one.
//!
//! Row 003-9 of the checklist. `USER_UPDATE` is
//!
//! | version | payload |
//! |---|---|
//! | 1 | `name`, `email`; `version` is optional |
//! | 2 | `name`, `email`, `avatar` (an optional URL), `version` 2 |
//!
//! The migration is part of decoding (`user_update.rs`), so both versions are checked strictly,
//! with the paths of wrong values, and only that file knows version 1. Published messages are
//! always version 2.
//!
//! To try it, `cargo run -p versioning`, and in another terminal
//! `npx wscat -c ws://127.0.0.1:3000/ws`:
//!
//! ```text
//! {"type":"USER_UPDATE","payload":{"name":"Ann","email":"ann@example.com"}}
//! {"type":"USER_UPDATE","payload":{"name":"Ann","email":"ann@example.com","avatar":"https://example.com/a.png","version":2}}
//! {"type":"USER_UPDATE","payload":{"name":"Ann","email":"ann@example.com","version":3}}
//! ```

mod user_update;

use axum::Router;
use switchboard::{Conn, WsError, WsRouter, ws_route};

use self::user_update::UserUpdate;

/// The topic of updates.
const TOPIC: &str = "users";

/// Returns the whole application: a WebSocket at `/ws`.
pub fn app() -> Router {
    let ws = WsRouter::<()>::new().on_open(opened).on(user_update);
    Router::new().route("/ws", ws_route(ws))
}

async fn opened(conn: Conn) -> Result<(), WsError> {
    conn.subscribe(TOPIC).await?;
    Ok(())
}

/// Publishes to all clients including the sender, always in the newest version.
async fn user_update(conn: Conn, user: UserUpdate) -> Result<(), WsError> {
    conn.publish(TOPIC, user).await?;
    Ok(())
}
