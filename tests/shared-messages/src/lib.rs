//! The messages of a chat, for its server and its clients.

use switchboard_core::{Issues, Message, WsMessage, WsMessages, ws_message, ws_meta, ws_payload, ws_rpc};

/// An event with rules, and a condition on a field.
#[ws_message("JOIN_ROOM")]
#[derive(Debug, PartialEq)]
pub struct JoinRoom {
    /// The room.
    #[validate(length(min = 1, max = 50))]
    pub room_id: String,
    /// From when on.
    #[cfg(feature = "since")]
    pub since_ms: Option<u64>,
    /// The device.
    #[validate(nested)]
    pub device: Device,
}

/// Stands in a message.
#[ws_payload]
#[derive(Debug, PartialEq)]
pub struct Device {
    /// What it is called.
    #[validate(length(min = 1))]
    pub display_name: String,
}

/// An event whose rules compare values.
#[ws_message("SIGN_UP")]
#[derive(Debug, PartialEq)]
#[validate(schema(function = is_adult))]
pub struct SignUp {
    /// At least eight characters.
    #[validate(length(min = 8))]
    pub password: String,
    /// The same.
    #[validate(must_match(other = "password"))]
    pub repeated: String,
    /// In years.
    #[validate(range(max = 150))]
    pub age: u8,
    /// What the user likes.
    #[validate(length(max = 3), nested)]
    pub devices: Vec<Device>,
}

fn is_adult(message: &SignUp) -> Result<(), switchboard_core::validator::ValidationError> {
    if message.age < 18 { Err(switchboard_core::validator::ValidationError::new("minor")) } else { Ok(()) }
}

/// A request, in the two attributes.
#[ws_message("ADD")]
#[ws_rpc(response = Sum, progress = Step)]
#[derive(Debug, PartialEq)]
pub struct Add {
    /// What to add.
    pub values: Vec<f64>,
}

/// The response.
#[ws_message("SUM")]
#[derive(Debug, PartialEq)]
pub struct Sum {
    /// Of all values.
    pub result: f64,
}

/// The progress.
#[ws_payload]
#[derive(Debug, PartialEq)]
pub struct Step {
    /// So far.
    pub done: usize,
}

/// Keys in `meta`.
#[ws_meta]
#[derive(Debug, PartialEq)]
pub struct RoomMeta {
    /// The room.
    pub room_id: String,
}

/// A message with keys of its own in `meta`, and without payload.
#[ws_message("CLOSED", meta = RoomMeta)]
#[derive(Debug, PartialEq)]
pub struct Closed;

/// What the server sends.
#[derive(Debug, WsMessages)]
pub enum ServerMessage {
    /// A room was joined.
    JoinRoom(JoinRoom),
    /// A sum.
    Sum(Sum),
}

/// The plain form, with the names and the derives of its own.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, WsMessage)]
#[ws(type = "TEXT", validate_with = Text::check)]
pub struct Text {
    /// The text.
    pub body: String,
}

impl Text {
    fn check(&self) -> Result<(), Issues> {
        if self.body.is_empty() { Err(Issues::single("body", "length", "must not be empty")) } else { Ok(()) }
    }
}

/// The tags of the messages, as a client may list them.
pub const TAGS: [&str; 5] = [JoinRoom::TYPE, Add::TYPE, Sum::TYPE, Closed::TYPE, Text::TYPE];
