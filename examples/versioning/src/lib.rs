//! A message in two versions: clients send either, handlers see the newer one only.
//!
//! Row 003-9 of the checklist. `USER_UPDATE` is
//!
//! | version | payload |
//! |---|---|
//! | 1 | `name`, `email`; `version` may be missing |
//! | 2 | `name`, `email`, perhaps `avatar` (a URL), `version` 2 |
//!
//! The migration is part of decoding (`user_update.rs`), so both versions are checked strictly, with
//! the paths of what is wrong, and no code but that file knows of version 1. What is published to all
//! is version 2 always.
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

/// Who hears of updates.
const TOPIC: &str = "users";

/// The whole application: a WebSocket at `/ws`.
pub fn app() -> Router {
    let ws = WsRouter::<()>::new().on_open(opened).on(user_update);
    Router::new().route("/ws", ws_route(ws))
}

async fn opened(conn: Conn) -> Result<(), WsError> {
    conn.subscribe(TOPIC).await?;
    Ok(())
}

/// Everybody is told, the sender too: always in the newest version.
async fn user_update(conn: Conn, user: UserUpdate) -> Result<(), WsError> {
    conn.publish(TOPIC, user).await?;
    Ok(())
}
