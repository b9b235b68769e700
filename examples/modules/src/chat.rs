//! The chat messages of users.

use switchboard::{Conn, WsError, WsRouter, middleware::from_fn, ws_message};

use crate::{
    middleware,
    session::{Session, User},
};

/// The topic of the chat.
const CHAT: &str = "chat";

#[ws_message("SEND_MESSAGE")]
struct SendMessage {
    #[validate(length(min = 1, max = 500))]
    text: String,
}

/// To all in the chat, including the sender.
#[ws_message("MESSAGE")]
struct Message {
    name: String,
    text: String,
}

/// The layer wraps only this module's handlers, also after the module is merged.
pub(crate) fn ws() -> WsRouter<(), Session> {
    WsRouter::new().on(send_message).layer(from_fn(middleware::require_auth)).on_open(opened)
}

/// Runs before the hook of the main router, which is added after this module is merged.
async fn opened(conn: Conn<Session>) -> Result<(), WsError> {
    conn.subscribe(CHAT).await?;
    Ok(())
}

async fn send_message(conn: Conn<Session>, message: SendMessage) -> Result<(), WsError> {
    // The middleware has checked it, but the types do not show that.
    let User { name, .. } = conn.data().user().ok_or_else(|| WsError::unauthenticated("Authentication required"))?;
    conn.publish(CHAT, Message { name, text: message.text }).await?;
    Ok(())
}
