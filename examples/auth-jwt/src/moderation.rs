//! The actions of administrators. Their rights were checked before.

use switchboard::{ConnRef, Hub, TopicOptions, WsError};

use crate::{
    in_band::Session,
    lock,
    messages::{Action, AdminAction, AdminActionSuccess, Kicked, ModAction, Muted},
    people::People,
};

/// The rule of the rooms' topics: moderators may act, and are notified of each other's actions.
/// Other messages are for every member.
pub(crate) fn rooms() -> TopicOptions {
    TopicOptions::new().filter(|member, _: &ModAction| is_moderator(member)).authorize_publish(async |member, _| {
        if is_moderator(&member) {
            return Ok(());
        }
        Err(WsError::permission_denied("You don't have permission to perform moderator actions"))
    })
}

fn is_moderator(member: &ConnRef) -> bool {
    member.data::<Session>().is_some_and(|session| lock(&session.user).is_moderator())
}

pub(crate) async fn carry_out(hub: &Hub, people: &People, msg: AdminAction) -> Result<AdminActionSuccess, WsError> {
    let AdminAction { action, target_user_id, reason } = msg;
    // Every connection of the user is subscribed to it, on any route.
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
            // Messages published before are sent before the close frame.
            hub.connection(id).disconnect().await;
        }
    }
    Ok(AdminActionSuccess { action, target_user_id })
}
