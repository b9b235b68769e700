//! What travels between client and server.

use switchboard::{validator::ValidationError, ws_message};
use uuid::Uuid;

// Client to server.

#[ws_message("JOIN_ROOM")]
pub(crate) struct JoinRoom {
    #[validate(custom(function = "uuid"))]
    pub(crate) room_id: String,
    /// The name from now on, in all rooms. "Anonymous" if there never was one.
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

// Server to client.

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

/// To all in a room, also who came.
#[ws_message("USER_JOINED")]
pub(crate) struct UserJoined {
    pub(crate) username: String,
    pub(crate) user_count: usize,
}

/// To all in a room, also who says it.
#[ws_message("MESSAGE")]
pub(crate) struct RoomMessage {
    pub(crate) username: String,
    pub(crate) text: String,
}

/// To those who stay in a room.
#[ws_message("USER_LEFT")]
pub(crate) struct UserLeft {
    pub(crate) username: String,
    pub(crate) user_count: usize,
}

/// To those who stay in a room: somebody's connection has ended.
#[ws_message("USER_DISCONNECTED")]
pub(crate) struct UserDisconnected {
    pub(crate) user_count: usize,
}

fn uuid(text: &str) -> Result<(), ValidationError> {
    Uuid::try_parse(text).map(drop).map_err(|_| ValidationError::new("uuid"))
}
