//! What travels between client and server.

use switchboard::{WsMessages, ws_message};

// Client to server.

#[ws_message("ping")]
pub(crate) struct Ping {
    /// The client's clock, which the answer repeats.
    pub(crate) timestamp: u64,
}

#[ws_message("join_room")]
pub(crate) struct JoinRoom {
    #[validate(length(min = 1, max = 50))]
    pub(crate) room_id: String,
}

#[ws_message("leave_room")]
pub(crate) struct LeaveRoom {
    #[validate(length(min = 1, max = 50))]
    pub(crate) room_id: String,
}

#[ws_message("chat_message")]
pub(crate) struct ChatMessage {
    #[validate(length(min = 1, max = 50))]
    pub(crate) room_id: String,
    #[validate(length(min = 1, max = 1000))]
    pub(crate) message: String,
}

#[ws_message("typing")]
pub(crate) struct Typing {
    #[validate(length(min = 1, max = 50))]
    pub(crate) room_id: String,
    pub(crate) is_typing: bool,
}

// Server to client.

/// All that this route may send: another message does not compile.
#[derive(WsMessages)]
pub(crate) enum ServerMessage {
    Pong(Pong),
    Welcome(Welcome),
    UserJoined(UserJoined),
    UserLeft(UserLeft),
    RoomJoined(RoomJoined),
    RoomLeft(RoomLeft),
    Message(Message),
    UserTyping(UserTyping),
    Error(Error),
}

#[ws_message("pong")]
pub(crate) struct Pong {
    pub(crate) timestamp: u64,
}

/// The first message of a connection.
#[ws_message("welcome")]
pub(crate) struct Welcome {
    pub(crate) message: String,
}

/// To all others: somebody has connected.
#[ws_message("user_joined")]
pub(crate) struct UserJoined {
    pub(crate) user_id: String,
}

/// To all others: somebody's connection has ended.
#[ws_message("user_left")]
pub(crate) struct UserLeft {
    pub(crate) user_id: String,
    pub(crate) code: u16,
    /// The client's own words, as it may have sent any: escape it before showing it.
    pub(crate) reason: String,
}

/// To all in a room, also who came.
#[ws_message("room_joined")]
pub(crate) struct RoomJoined {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) user_email: String,
    pub(crate) timestamp: u64,
}

/// To those who are left in a room.
#[ws_message("room_left")]
pub(crate) struct RoomLeft {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) timestamp: u64,
}

/// To all in a room, also who says it.
#[ws_message("message")]
pub(crate) struct Message {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) user_email: String,
    pub(crate) message: String,
    pub(crate) timestamp: u64,
}

/// To all others in a room.
#[ws_message("typing")]
pub(crate) struct UserTyping {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) is_typing: bool,
}

/// Follows the protocol's own `ERROR`: for clients that know only this route's messages.
#[ws_message("error")]
pub(crate) struct Error {
    pub(crate) message: String,
    pub(crate) code: String,
}
