//! The handlers of a room, in any shard.

use serde::Deserialize;
use switchboard::{Conn, WsError, WsRouter, ws_message};

/// A room's name: 1 to 50 letters, digits, `-` and `_`. Other names are answered with 400.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct RoomId(String);

impl TryFrom<String> for RoomId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if is_plain && (1..=50).contains(&text.len()) { Ok(Self(text)) } else { Err("not the name of a room") }
    }
}

/// The room of clients that name none.
impl Default for RoomId {
    fn default() -> Self {
        Self("general".to_owned())
    }
}

impl RoomId {
    /// Returns its topic, which is also hashed.
    pub(crate) fn topic(&self) -> String {
        format!("room:{}", self.0)
    }
}

/// The data of a connection.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) room: RoomId,
    pub(crate) shard: u32,
}

#[ws_message("SEND_MESSAGE")]
struct SendMessage {
    #[validate(length(min = 1, max = 500))]
    text: String,
}

/// The first message of a connection.
#[ws_message("ROOM_JOINED")]
struct RoomJoined {
    room_id: String,
    shard: u32,
}

/// To all in the room, including the sender.
#[ws_message("ROOM_UPDATE")]
struct RoomUpdate {
    room_id: String,
    user_id: String,
    text: String,
}

pub(crate) fn ws() -> WsRouter<(), Place> {
    WsRouter::new().on_open(opened).on(send_message)
}

async fn opened(conn: Conn<Place>) -> Result<(), WsError> {
    let Place { room, shard } = conn.data();
    conn.subscribe(room.topic()).await?;
    conn.send(RoomJoined { room_id: room.0.clone(), shard: *shard })?;
    Ok(())
}

async fn send_message(conn: Conn<Place>, message: SendMessage) -> Result<(), WsError> {
    let room = &conn.data().room;
    let update = RoomUpdate { room_id: room.0.clone(), user_id: conn.id().to_string(), text: message.text };
    conn.publish(room.topic(), update).await?;
    Ok(())
}
