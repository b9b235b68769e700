//! The messages between client and server.

use switchboard::{WsMessages, ws_message};

// From client to server.

#[ws_message("message")]
pub(crate) struct Say {
    #[validate(length(min = 1, max = 1000))]
    pub(crate) message: String,
}

/// Subscribes to another topic.
#[ws_message("follow")]
pub(crate) struct Follow {
    #[validate(length(min = 1, max = 10))]
    pub(crate) topics: Vec<String>,
}

#[ws_message("unfollow")]
pub(crate) struct Unfollow {
    #[validate(length(min = 1, max = 10))]
    pub(crate) topics: Vec<String>,
}

/// Publishes to the subscribers of a topic.
#[ws_message("post")]
pub(crate) struct Post {
    pub(crate) topic: String,
    #[validate(length(min = 1, max = 1000))]
    pub(crate) message: String,
}

#[ws_message("get_info")]
pub(crate) struct GetInfo;

/// Makes the server close the connection, with or without a reason.
#[ws_message("bye")]
pub(crate) struct Bye {
    pub(crate) in_words: bool,
}

// From server to client.

/// The messages that this route may send.
#[derive(WsMessages)]
pub(crate) enum ServerMessage {
    Message(Message),
    Following(Following),
    Info(Info),
}

#[ws_message("message")]
pub(crate) struct Message {
    pub(crate) content: String,
}

/// The topics that the connection is subscribed to.
#[ws_message("following")]
pub(crate) struct Following {
    pub(crate) topics: Vec<String>,
}

/// The server's data about the connection.
#[ws_message("info")]
pub(crate) struct Info {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) user_email: String,
    pub(crate) remote_address: Option<String>,
}
