//! A router composed of routers, with middleware around all of them, around one, and around one
//! handler.
//!
//! | file | content | rows of the checklist |
//! |---|---|---|
//! | `lib.rs` | the main router: four modules, a layer around all, its own hooks | 002-13, 003-1 |
//! | `middleware.rs` | authentication, logging, a chain | 003-2, 003-3, 003-4 |
//! | `context.rs` | an extractor of the application's own | 003-5 |
//! | `auth.rs` | `LOGIN`, `LOGOUT` | 003-1 |
//! | `chat.rs` | `SEND_MESSAGE`, for authenticated users; a hook of its own | 003-1, 003-2 |
//! | `user.rs` | `USER.WHO_AM_I`, `USER.RENAME`: nested under a prefix; a chain around one handler | 002-13, 003-4 |
//! | `admin.rs` | `ADMIN_MESSAGE`, `KICK_USER` | 003-1, 003-5 |
//!
//! ```text
//! RUST_LOG=info PORT=3000 cargo run -p modules
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`:
//!
//! ```text
//! {"type":"SEND_MESSAGE","payload":{"text":"nobody hears this"}}
//! {"type":"LOGIN","payload":{"username":"ann","password":"ann-secret"}}
//! {"type":"USER.RENAME","meta":{"correlationId":"1"},"payload":{"name":"Anne"}}
//! {"type":"ADMIN_MESSAGE","payload":{"text":"Tea is ready"}}
//! ```

mod admin;
mod auth;
mod chat;
mod context;
mod middleware;
mod session;
mod user;

use std::convert::Infallible;

use axum::Router;
use switchboard::{Conn, WsError, WsRouter, middleware::from_fn, ws_message, ws_route};

use self::session::Session;

/// The topic of all connected clients.
const GLOBAL: &str = "global";

/// The first message of a connection.
#[ws_message("WELCOME")]
struct Welcome {
    online: usize,
}

/// To all remaining clients: an authenticated user has left.
#[ws_message("USER_LEFT")]
struct UserLeft {
    name: String,
}

/// Returns the application.
pub fn app() -> Router {
    let ws = WsRouter::new()
        .merge(auth::ws())
        .merge(chat::ws())
        .nest("USER.", user::ws())
        .merge(admin::ws())
        // Added after them, so it wraps them all, outside of their own layers.
        .layer(from_fn(middleware::log))
        // After them, too: `chat`'s open hook has run by then.
        .on_open(opened)
        .on_close(closed)
        .authenticate(async || Ok::<_, Infallible>(Session::default()));
    Router::new().route("/ws", ws_route(ws))
}

async fn opened(conn: Conn<Session>) -> Result<(), WsError> {
    conn.subscribe(GLOBAL).await?;
    conn.send(Welcome { online: conn.hub().topic(GLOBAL).local_subscriber_count() })?;
    Ok(())
}

async fn closed(conn: Conn<Session>) -> Result<(), WsError> {
    if let Some(user) = conn.data().user() {
        conn.publish(GLOBAL, UserLeft { name: user.name }).except_self().await?;
    }
    Ok(())
}
