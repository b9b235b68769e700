//! What administrators do to others. Who may is decided before.

use switchboard::{Hub, WsError};

use crate::{
    messages::{Action, AdminAction, AdminActionSuccess, Kicked, Muted},
    people::People,
};

pub(crate) async fn carry_out(hub: &Hub, people: &People, msg: AdminAction) -> Result<AdminActionSuccess, WsError> {
    let AdminAction { action, target_user_id, reason } = msg;
    // Every connection of the user is subscribed to it, on whatever route.
    let topic = format!("user:{target_user_id}");
    match action {
        Action::Kick => {
            hub.publish(&topic, Kicked { reason }).await?;
        }
        Action::Ban => people.ban(&target_user_id),
        Action::Mute => {
            hub.publish(&topic, Muted { reason }).await?;
        }
    }
    if action != Action::Mute {
        for id in people.connections(&target_user_id) {
            // What was published before leaves before the close frame.
            hub.disconnect(id);
        }
    }
    Ok(AdminActionSuccess { action, target_user_id })
}
