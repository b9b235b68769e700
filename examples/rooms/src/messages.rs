//! The messages between client and server.

use switchboard::{validator::ValidationError, ws_message};
use uuid::Uuid;

// From client to server.

#[ws_message("JOIN_ROOM")]
pub(crate) struct JoinRoom {
    #[validate(custom(function = "uuid"))]
    pub(crate) room_id: String,
    /// The name from now on, in all rooms. "Anonymous" by default.
    #[validate(length(min = 1, max = 20))]
    pub(crate) username: Option<String>,
}

#[ws_message("SEND_MESSAGE")]
pub(crate) struct SendMessage {
    #[validate(custom(function = "uuid"))]
    pub(crate) room_id: String,
    #[validate(length(min = 1, max = 500))]
    pub(crate) text: String,
}

#[ws_message("LEAVE_ROOM")]
pub(crate) struct LeaveRoom {
    #[validate(custom(function = "uuid"))]
    pub(crate) room_id: String,
}

// From server to client.

/// The first message of a connection.
#[ws_message("WELCOME")]
pub(crate) struct Welcome {
    pub(crate) message: String,
    pub(crate) client_id: String,
}

/// The answer to `JOIN_ROOM`.
#[ws_message("JOIN_SUCCESS")]
pub(crate) struct JoinSuccess {
    pub(crate) room_id: String,
    pub(crate) user_count: usize,
}

/// To all in a room, including the user who joined.
#[ws_message("USER_JOINED")]
pub(crate) struct UserJoined {
    pub(crate) username: String,
    pub(crate) user_count: usize,
}

/// To all in a room, including the sender.
#[ws_message("MESSAGE")]
pub(crate) struct RoomMessage {
    pub(crate) username: String,
    pub(crate) text: String,
}

/// To the remaining members of a room.
#[ws_message("USER_LEFT")]
pub(crate) struct UserLeft {
    pub(crate) username: String,
    pub(crate) user_count: usize,
}

/// To the remaining members of a room: a user's connection has ended.
#[ws_message("USER_DISCONNECTED")]
pub(crate) struct UserDisconnected {
    pub(crate) user_count: usize,
}

fn uuid(text: &str) -> Result<(), ValidationError> {
    Uuid::try_parse(text).map(drop).map_err(|_| ValidationError::new("uuid"))
}
