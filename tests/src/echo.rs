//! Echoes text as text and binary as binary, without an envelope.

use axum::Router;
use axum::body::Bytes;
use switchboard::{Config, Conn, Hub, OriginPolicy, RawText, SendError, WsError, WsRouter};

use crate::serve::ws_route;

/// The largest message.
const LIMIT: usize = 32 * 1024 * 1024;

async fn text(conn: Conn, text: RawText) -> Result<(), WsError> {
    room(&conn).await?;
    Ok(conn.send_text(text)?)
}

async fn binary(conn: Conn, bytes: Bytes) -> Result<(), WsError> {
    room(&conn).await?;
    Ok(conn.send_binary(bytes)?)
}

/// A client that sends faster than it reads is slowed down rather than closed.
async fn room(conn: &Conn) -> Result<(), SendError> {
    conn.ready().await
}

/// Returns the application, at `/`.
pub fn app() -> Router {
    app_on(&Hub::new())
}

/// Returns the application on a hub, at `/`.
pub fn app_on(hub: &Hub) -> Router {
    let config = Config::new()
        .max_message_bytes(LIMIT)
        .max_fragments(1_000_000)
        .max_outbound_bytes(2 * LIMIT)
        .max_inbox(32, LIMIT);
    let ws =
        WsRouter::new().hub(hub.clone()).config(config).origin(OriginPolicy::any()).on_text(text).on_binary(binary);
    Router::new().route("/", ws_route(ws))
}
