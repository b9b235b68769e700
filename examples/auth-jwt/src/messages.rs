//! The messages between client and server. Wire names are in camel case.

use switchboard::{ws_message, ws_payload, ws_rpc};

use crate::users::{Role, UserData};

// From client to server.

/// Authenticates with a token.
#[ws_message("AUTH")]
pub(crate) struct Auth {
    #[validate(length(max = 4096))]
    pub(crate) token: String,
}

/// Authenticates with a password.
#[ws_message("LOGIN")]
pub(crate) struct Login {
    #[validate(length(min = 1, max = 64))]
    pub(crate) username: String,
    #[validate(length(min = 1, max = 256))]
    pub(crate) password: String,
}

/// Asks for the user of this connection.
#[ws_rpc("WHO_AM_I", response = Me)]
pub(crate) struct WhoAmI;

/// Fails, to show what happens then.
#[ws_message("BREAK")]
pub(crate) struct Break;

/// For administrators.
#[ws_message("ADMIN_ACTION")]
pub(crate) struct AdminAction {
    pub(crate) action: Action,
    #[validate(length(min = 1, max = 64))]
    pub(crate) target_user_id: String,
    #[validate(length(max = 200))]
    pub(crate) reason: Option<String>,
}

/// What an administrator can do to a user.
#[ws_payload]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Kick,
    Ban,
    Mute,
}

/// Subscribes to a room.
#[ws_rpc("WATCH_ROOM", response = Watching)]
pub(crate) struct WatchRoom {
    #[validate(length(min = 1, max = 64))]
    pub(crate) room_id: String,
}

/// A moderator's action in a room. The same message notifies the room's other moderators and
/// administrators.
#[ws_message("MOD_ACTION")]
pub(crate) struct ModAction {
    #[validate(length(min = 1, max = 64))]
    pub(crate) room_id: String,
    #[validate(length(min = 1, max = 64))]
    pub(crate) user_id: String,
    #[validate(length(min = 1, max = 64))]
    pub(crate) username: String,
    #[validate(length(min = 1, max = 20))]
    pub(crate) action: String,
}

// From server to client.

/// The answer to `WATCH_ROOM`.
#[ws_message("WATCHING")]
pub(crate) struct Watching {
    pub(crate) room_id: String,
}

/// The token or the password was valid.
#[ws_message("AUTH_SUCCESS")]
pub(crate) struct AuthSuccess {
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) roles: Vec<Role>,
}

/// The answer to `WHO_AM_I`.
#[ws_message("ME")]
pub(crate) struct Me {
    /// Absent on routes without authentication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<UserData>,
    pub(crate) topics: Vec<String>,
}

/// To a user who is kicked or banned: the connection closes after it.
#[ws_message("KICKED")]
pub(crate) struct Kicked {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// To a user who is muted.
#[ws_message("MUTED")]
pub(crate) struct Muted {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// The administrator's action was carried out.
#[ws_message("ADMIN_ACTION_SUCCESS")]
pub(crate) struct AdminActionSuccess {
    pub(crate) action: Action,
    pub(crate) target_user_id: String,
}
