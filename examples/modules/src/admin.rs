//! The handlers for administrators.

use switchboard::{ConnId, ErrorCode, WsError, WsRouter, middleware::from_fn, ws_message};

use crate::{context::Context, middleware, session::Session};

#[ws_message("ADMIN_MESSAGE")]
struct AdminMessage {
    #[validate(length(min = 1, max = 500))]
    text: String,
}

/// To all connected clients.
#[ws_message("ADMIN_ANNOUNCEMENT")]
struct AdminAnnouncement {
    text: String,
}

#[ws_message("ADMIN_MESSAGE_SENT")]
struct AdminMessageSent;

/// Kicks a connection: its client gets the close code 4503.
#[ws_message("KICK_USER")]
struct KickUser {
    client_id: String,
}

#[ws_message("USER_KICKED")]
struct UserKicked {
    client_id: String,
}

pub(crate) fn ws() -> WsRouter<(), Session> {
    WsRouter::new().on(admin_message).on(kick_user).layer(from_fn(middleware::require_auth))
}

async fn admin_message(context: Context, message: AdminMessage) -> Result<AdminMessageSent, WsError> {
    context.require_admin()?;
    context.broadcast(AdminAnnouncement { text: message.text }).await?;
    Ok(AdminMessageSent)
}

async fn kick_user(context: Context, kick: KickUser) -> Result<UserKicked, WsError> {
    context.require_admin()?;
    let id: Option<ConnId> = kick.client_id.parse().ok();
    let is_kicked = match id {
        Some(id) => context.conn().hub().connection(id).disconnect().await,
        None => false,
    };
    if !is_kicked {
        return Err(context.error(ErrorCode::NotFound, "No such client", ("kicked", &kick.client_id)));
    }
    Ok(UserKicked { client_id: kick.client_id })
}
