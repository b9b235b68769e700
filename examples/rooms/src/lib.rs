//! Rooms without accounts: a connection may be in several, with or without a name.
//!
//! | message | effect | rows of the checklist |
//! |---|---|---|
//! | `JOIN_ROOM` | publishes `USER_JOINED` to the room, answers `JOIN_SUCCESS` | 000-3 |
//! | `SEND_MESSAGE` | publishes `MESSAGE` to the room, for its members | 000-4 |
//! | `LEAVE_ROOM` | publishes `USER_LEFT` to the remaining members | 000-5 |
//! | the connection ends | publishes `USER_DISCONNECTED` to each of its rooms | 000-6 |
//!
//! ```text
//! PORT=3000 cargo run -p rooms
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`:
//!
//! ```text
//! {"type":"JOIN_ROOM","payload":{"roomId":"0190163d-8694-739b-aea5-966c26f8ad91","username":"Ann"}}
//! {"type":"SEND_MESSAGE","payload":{"roomId":"0190163d-8694-739b-aea5-966c26f8ad91","text":"hello"}}
//! ```

mod messages;

use axum::Router;
use switchboard::{Conn, Hub, SendError, WsError, WsRouter, ws_route};

use self::messages::{
    JoinRoom, JoinSuccess, LeaveRoom, RoomMessage, SendMessage, UserDisconnected, UserJoined, UserLeft, Welcome,
};

/// The prefix of the rooms' topics.
const ROOM: &str = "room:";

/// The name of a connection, stored in its attributes.
struct Username(String);

/// Returns the application, with empty rooms.
pub fn app() -> Router {
    let ws = WsRouter::<()>::new().on_open(opened).on(join_room).on(send_message).on(leave_room).on_close(closed);
    Router::new().route("/ws", ws_route(ws))
}

async fn opened(conn: Conn) -> Result<(), SendError> {
    conn.send(Welcome { message: "Welcome".into(), client_id: conn.id().to_string() })
}

async fn join_room(conn: Conn, hub: Hub, join: JoinRoom) -> Result<JoinSuccess, WsError> {
    let topic = topic(&join.room_id);
    if let Some(name) = join.username {
        conn.attributes().insert(Username(name))?;
    }
    let is_new = conn.subscribe(&topic).await?;
    let user_count = hub.topic(&topic).local_subscriber_count();
    if is_new {
        conn.publish(topic, UserJoined { username: username(&conn), user_count }).await?;
    }
    Ok(JoinSuccess { room_id: join.room_id, user_count })
}

async fn send_message(conn: Conn, message: SendMessage) -> Result<(), WsError> {
    let topic = topic(&message.room_id);
    if !conn.is_subscribed(&topic) {
        return Err(WsError::permission_denied("You must join the room first"));
    }
    conn.publish(topic, RoomMessage { username: username(&conn), text: message.text }).await?;
    Ok(())
}

async fn leave_room(conn: Conn, hub: Hub, leave: LeaveRoom) -> Result<(), WsError> {
    let topic = topic(&leave.room_id);
    // Unsubscribes first, so that only the remaining members get the message.
    if conn.unsubscribe(&topic).await? {
        let user_count = hub.topic(&topic).local_subscriber_count();
        conn.publish(topic, UserLeft { username: username(&conn), user_count }).await?;
    }
    Ok(())
}

/// The subscriptions still exist, and end after the hook.
async fn closed(conn: Conn, hub: Hub) -> Result<(), WsError> {
    for topic in conn.topics().into_iter().filter(|topic| topic.starts_with(ROOM)) {
        let user_count = hub.topic(&topic).local_subscriber_count().saturating_sub(1);
        conn.publish(topic, UserDisconnected { user_count }).except_self().await?;
    }
    Ok(())
}

fn username(conn: &Conn) -> String {
    conn.attributes().get::<Username>().map_or_else(|| "Anonymous".into(), |name| name.0.clone())
}

fn topic(room_id: &str) -> String {
    format!("{ROOM}{room_id}")
}
