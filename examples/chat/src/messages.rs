//! The messages between page and server. Wire names are in camel case.

use switchboard::{ws_message, ws_payload};
use uuid::Uuid;
use validator::{ValidateUrl as _, ValidationError};

// From client to server.

/// Signs in. The token is the client's own secret: the same token is the same user.
#[ws_message("AUTHENTICATE")]
pub(crate) struct Authenticate {
    #[validate(length(min = 1, max = 128))]
    pub(crate) token: String,
    /// A new name.
    #[validate(length(min = 1, max = 20))]
    pub(crate) username: Option<String>,
}

/// Enters a room, and leaves the current one.
#[ws_message("JOIN_ROOM")]
pub(crate) struct JoinRoom {
    #[validate(length(min = 1, max = 64))]
    pub(crate) room_id: String,
    /// A new name.
    #[validate(length(min = 1, max = 20))]
    pub(crate) username: Option<String>,
}

/// Leaves a room.
#[ws_message("LEAVE_ROOM")]
pub(crate) struct LeaveRoom {
    #[validate(length(min = 1, max = 64))]
    pub(crate) room_id: String,
}

/// Opens a room of that name, for all users. The sender has not joined it yet.
#[ws_message("CREATE_ROOM")]
pub(crate) struct CreateRoom {
    #[validate(length(min = 1, max = 40), custom(function = "visible"))]
    pub(crate) name: String,
}

/// Sends a message to one user, on all connections. The server adds the sender.
#[ws_message("SEND_DIRECT_MESSAGE")]
pub(crate) struct SendDirectMessage {
    #[validate(custom(function = "uuid"))]
    pub(crate) to_user_id: String,
    #[validate(length(min = 1, max = 1000))]
    pub(crate) text: String,
}

/// Sends a message to a room.
#[ws_message("SEND_MESSAGE")]
pub(crate) struct SendMessage {
    #[validate(length(min = 1, max = 64))]
    pub(crate) room_id: String,
    #[validate(length(min = 1, max = 1000))]
    pub(crate) text: String,
    #[validate(nested)]
    pub(crate) attachment: Option<Attachment>,
}

/// A link attached to a message.
#[ws_payload]
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    #[serde(rename = "type")]
    pub(crate) kind: AttachmentKind,
    #[validate(length(max = 2000), custom(function = "web_address"))]
    pub(crate) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 100))]
    pub(crate) name: Option<String>,
}

/// The type of the link's target.
#[ws_payload]
#[derive(Debug, Clone, Copy)]
pub(crate) enum AttachmentKind {
    Image,
    File,
}

/// The sender started typing.
#[ws_message("TYPING_START")]
pub(crate) struct TypingStart {
    #[validate(length(min = 1, max = 64))]
    pub(crate) room_id: String,
}

/// The sender stopped typing.
#[ws_message("TYPING_STOP")]
pub(crate) struct TypingStop {
    #[validate(length(min = 1, max = 64))]
    pub(crate) room_id: String,
}

// From server to client.

/// The first message of a connection.
#[ws_message("WELCOME")]
pub(crate) struct Welcome {
    pub(crate) message: String,
    pub(crate) client_id: String,
    /// The name until AUTHENTICATE sets another.
    pub(crate) username: String,
}

/// All rooms: at the start, and whenever a count changes.
#[ws_message("ROOM_LIST")]
pub(crate) struct RoomList {
    pub(crate) rooms: Vec<RoomSummary>,
}

/// A room in the list of rooms.
#[ws_payload]
pub(crate) struct RoomSummary {
    pub(crate) id: String,
    pub(crate) name: String,
    #[ws(safe)]
    pub(crate) user_count: usize,
}

/// The answer to AUTHENTICATE.
#[ws_message("AUTH_SUCCESS")]
pub(crate) struct AuthSuccess {
    pub(crate) user_id: String,
    pub(crate) username: String,
}

/// The answer to JOIN_ROOM.
#[ws_message("JOIN_SUCCESS")]
pub(crate) struct JoinSuccess {
    pub(crate) room_id: String,
    #[ws(safe)]
    pub(crate) user_count: usize,
}

/// The last messages of a room that was joined, oldest first.
#[ws_message("HISTORY")]
pub(crate) struct History {
    pub(crate) room_id: String,
    pub(crate) messages: Vec<ChatMessage>,
}

/// The members of a room: sent to them whenever one joins, leaves or is renamed.
#[ws_message("ROOM:USERS")]
pub(crate) struct RoomUsers {
    pub(crate) room: String,
    pub(crate) users: Vec<RoomUser>,
    #[ws(safe)]
    pub(crate) count: usize,
}

/// A member of a room.
#[ws_payload]
pub(crate) struct RoomUser {
    pub(crate) user_id: String,
    pub(crate) username: String,
}

/// A user entered a room.
#[ws_message("USER_JOINED")]
pub(crate) struct UserJoined {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) username: String,
    #[ws(safe)]
    pub(crate) user_count: usize,
}

/// A user left a room.
#[ws_message("USER_LEFT")]
pub(crate) struct UserLeft {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) username: String,
    #[ws(safe)]
    pub(crate) user_count: usize,
}

/// The user who left before did so by losing the connection. The count is that of the room.
#[ws_message("USER_DISCONNECTED")]
pub(crate) struct UserDisconnected {
    #[ws(safe)]
    pub(crate) user_count: usize,
}

/// A message in a room, to all its members including the sender.
#[ws_message("CHAT_MESSAGE")]
#[derive(Debug, Clone)]
pub(crate) struct ChatMessage {
    pub(crate) message_id: String,
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    /// The name when it was sent.
    pub(crate) username: String,
    pub(crate) text: String,
    /// Milliseconds since 1970.
    #[ws(safe)]
    pub(crate) timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attachment: Option<Attachment>,
}

/// The answer to CREATE_ROOM.
#[ws_message("ROOM_CREATED")]
pub(crate) struct RoomCreated {
    pub(crate) room_id: String,
    pub(crate) name: String,
}

/// A message to one user: to all connections of that user and of the sender.
#[ws_message("DIRECT_MESSAGE")]
#[derive(Debug, Clone)]
pub(crate) struct DirectMessage {
    pub(crate) message_id: String,
    pub(crate) to_user_id: String,
    /// The sender.
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) text: String,
    /// Milliseconds since 1970.
    #[ws(safe)]
    pub(crate) timestamp: u64,
}

/// Another user in the room started or stopped typing.
#[ws_message("USER_TYPING")]
pub(crate) struct UserTyping {
    pub(crate) room_id: String,
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) typing: bool,
}

fn uuid(text: &str) -> Result<(), ValidationError> {
    Uuid::try_parse(text).map(drop).map_err(|_| ValidationError::new("uuid"))
}

/// Refuses control characters and surrounding spaces, with which a name looks like another one.
fn visible(text: &str) -> Result<(), ValidationError> {
    if text.trim() == text && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ValidationError::new("name")
        .with_message("must not begin or end with a space, or hold control characters".into()))
}

/// `validator`'s own rule accepts any scheme; a link on the page must be a web address.
fn web_address(text: &str) -> Result<(), ValidationError> {
    let (scheme, _) = text.split_once("://").unwrap_or_default();
    if (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) && text.validate_url() {
        return Ok(());
    }
    Err(ValidationError::new("url").with_message("must be an http or https URL".into()))
}
