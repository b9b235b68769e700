//! Rate limits by layers: each connection has its own counters, without a lock, which are freed
//! with it.
//!
//! | path | content | rows of the checklist |
//! |---|---|---|
//! | `/ws` | a limit per route: `CHAT_MESSAGE` 10 in any 60 s, `JOIN_CHANNEL` 5 in any 300 s | 000-18, 000-19, 000-20 |
//! | `/all` | one limit over all routes: 10 in any 60 s | 001-13 |
//! | `/windows` | fixed windows of 10 s, 20 messages in each; `TYPING_…` does not count | 002-30 |
//!
//! A message above the limit gets an `ERROR` with `RESOURCE_EXHAUSTED` (`RATE_LIMIT_EXCEEDED` in
//! older protocols) and `retryAfterMs`; the connection stays open.
//!
//! On several nodes, limits by user, address or key can be counted together, in Redis. Limits per
//! connection, as here, need no store:
//!
//! ```text
//! let limits = RedisRateLimit::connect("redis://localhost").await?;
//! RateLimitLayer::per_ip(100, Duration::from_secs(60)).store("all", limits)
//! ```
//!
//! ```text
//! PORT=3000 cargo run -p rate-limiting
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`, eleven times:
//!
//! ```text
//! {"type":"CHAT_MESSAGE","payload":{"text":"hi"}}
//! ```

mod limits;
mod messages;

use axum::Router;
use switchboard::{Conn, RouteOptions, WsError, WsRouter, ws_route};

use self::{
    limits::Limits,
    messages::{ChatMessage, JoinChannel, JoinSuccess, TypingStart, TypingStop},
};

/// The topic of chat messages. A channel like the others: join it to get them.
const GLOBAL: &str = "global";

/// Returns the application.
pub fn app() -> Router {
    app_at_speed(1)
}

/// Returns the application with windows that are `speed` times shorter.
pub fn app_at_speed(speed: u32) -> Router {
    let limits = Limits::at_speed(speed);
    let by_route = WsRouter::new()
        .on_with(chat_message, RouteOptions::new().layer(limits.messages()))
        .on_with(join_channel, RouteOptions::new().layer(limits.joins()));
    let over_all = routes().layer(limits.all());
    let in_windows = routes().layer(limits.windows());
    Router::new()
        .route("/ws", ws_route(by_route))
        .route("/all", ws_route(over_all))
        .route("/windows", ws_route(in_windows))
}

fn routes() -> WsRouter {
    WsRouter::new().on(chat_message).on(join_channel).on(typing_start).on(typing_stop)
}

async fn chat_message(conn: Conn, message: ChatMessage) -> Result<(), WsError> {
    conn.publish(GLOBAL, message).await?;
    Ok(())
}

/// This hub has only channels, so they need no prefix.
async fn join_channel(conn: Conn, join: JoinChannel) -> Result<JoinSuccess, WsError> {
    conn.subscribe(&join.channel).await?;
    Ok(JoinSuccess { channel: join.channel })
}

async fn typing_start(conn: Conn, typing: TypingStart) -> Result<(), WsError> {
    conn.publish(GLOBAL, typing).except_self().await?;
    Ok(())
}

async fn typing_stop(conn: Conn, typing: TypingStop) -> Result<(), WsError> {
    conn.publish(GLOBAL, typing).except_self().await?;
    Ok(())
}
