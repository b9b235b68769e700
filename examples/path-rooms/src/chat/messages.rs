//! The messages between client and server.

use switchboard::{WsMessages, ws_message};

// From client to server.

#[ws_message("ping")]
pub(crate) struct Ping {
    /// The client's clock, which is returned in the answer.
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

// From server to client.

/// The messages that this route may send: another one does not compile.
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

/// To all others: a user has connected.
#[ws_message("user_joined")]
pub(crate) struct UserJoined {
    pub(crate) user_id: String,
}

/// To all others: a user's connection has ended.
#[ws_message("user_left")]
pub(crate) struct UserLeft {
    pub(crate) user_id: String,
    pub(crate) code: u16,
    /// The reason that the client sent, unchecked: escape it before showing it.
    pub(crate) reason: String,
}

/// To all in a room, including the user who joined.
#[ws_message("room_joined")]
pub(crate) struct RoomJoined {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) user_email: String,
    pub(crate) timestamp: u64,
}

/// To the remaining members of a room.
#[ws_message("room_left")]
pub(crate) struct RoomLeft {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) timestamp: u64,
}

/// To all in a room, including the sender.
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

/// Sent after the protocol's own `ERROR`, for clients that know only this route's messages.
#[ws_message("error")]
pub(crate) struct Error {
    pub(crate) message: String,
    pub(crate) code: String,
}
