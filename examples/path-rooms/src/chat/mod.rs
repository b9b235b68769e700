//! `/ws/chat`: rooms that clients join and leave by messages.

mod messages;

use std::sync::Arc;

use axum::extract::State;
use switchboard::{Authenticated, CloseReason, Conn, EnvelopeStyle, Failure, SendError, WsError, WsRouter};

use self::messages::{
    ChatMessage, Error, JoinRoom, LeaveRoom, Message, Ping, Pong, RoomJoined, RoomLeft, ServerMessage, Typing,
    UserJoined, UserLeft, UserTyping, Welcome,
};
use crate::{
    now_ms,
    occupancy::Occupancy,
    users::{self, User},
};

/// The topic of all connected clients.
const LOBBY: &str = "lobby";

/// The prefix of the rooms' topics.
const ROOM: &str = "room:";

type Client = Conn<User, ServerMessage>;

pub(crate) fn ws() -> WsRouter<Arc<Occupancy>, User, ServerMessage, Authenticated> {
    WsRouter::<_, User>::sending::<ServerMessage>()
        .envelope(EnvelopeStyle::Flat)
        .tokens(users::token_sources())
        .authenticate(users::authenticate)
        .on_open(opened)
        .on(async |ping: Ping| Pong { timestamp: ping.timestamp })
        .on(join_room)
        .on(leave_room)
        .on(chat_message)
        .on(typing)
        .on_error(failed)
        .on_close(closed)
}

async fn opened(client: Client) -> Result<(), WsError> {
    let User { id, email } = client.data().clone();
    client.send(Welcome { message: format!("Welcome, {email}!") })?;
    client.subscribe(LOBBY).await?;
    client.publish(LOBBY, UserJoined { user_id: id }).except_self().await?;
    Ok(())
}

async fn join_room(client: Client, State(occupancy): State<Arc<Occupancy>>, msg: JoinRoom) -> Result<(), WsError> {
    let topic = topic(&msg.room_id);
    if !client.subscribe(&topic).await? {
        return Ok(());
    }
    let User { id, email } = client.data().clone();
    let is_first = occupancy.enter(&id, &msg.room_id);
    let joined = RoomJoined { room_id: msg.room_id, user_id: id, user_email: email, timestamp: now_ms() };
    if is_first {
        client.publish(topic, joined).await?;
    } else {
        // The others know this user already; only the user's new tab does not.
        client.send(joined)?;
    }
    Ok(())
}

async fn leave_room(client: Client, State(occupancy): State<Arc<Occupancy>>, msg: LeaveRoom) -> Result<(), WsError> {
    let was_there = client.unsubscribe(topic(&msg.room_id)).await?;
    // Another tab of the user may still be there.
    if was_there && occupancy.leave(&client.data().id, &msg.room_id) {
        publish_left(&client, msg.room_id).await?;
    }
    Ok(())
}

async fn publish_left(client: &Client, room_id: String) -> Result<(), WsError> {
    let user_id = client.data().id.clone();
    client.publish(topic(&room_id), RoomLeft { room_id, user_id, timestamp: now_ms() }).await?;
    Ok(())
}

async fn chat_message(client: Client, msg: ChatMessage) -> Result<(), WsError> {
    let topic = joined_topic(&client, &msg.room_id)?;
    let User { id, email } = client.data().clone();
    let ChatMessage { room_id, message } = msg;
    let message = Message { room_id, user_id: id, user_email: email, message, timestamp: now_ms() };
    client.publish(topic, message).await?;
    Ok(())
}

async fn typing(client: Client, msg: Typing) -> Result<(), WsError> {
    let topic = joined_topic(&client, &msg.room_id)?;
    let Typing { room_id, is_typing } = msg;
    let typing = UserTyping { room_id, user_id: client.data().id.clone(), is_typing };
    client.publish(topic, typing).except_self().await?;
    Ok(())
}

async fn failed(client: Client, failure: Failure) -> Result<(), SendError> {
    client.send(Error { message: "An error occurred".into(), code: failure.error().code().to_string() })
}

/// The connection's subscriptions are still known here, and end after the hook.
async fn closed(client: Client, State(occupancy): State<Arc<Occupancy>>, reason: CloseReason) -> Result<(), WsError> {
    let user_id = client.data().id.clone();
    let topics = client.topics();
    let rooms = topics.iter().filter_map(|topic| topic.strip_prefix(ROOM));
    // Removed from all rooms before the first `.await`.
    let left: Vec<_> = rooms.filter(|room_id| occupancy.leave(&user_id, room_id)).collect();
    for room_id in left {
        publish_left(&client, room_id.to_owned()).await?;
    }
    let notice = UserLeft { user_id, code: reason.code().get(), reason: reason.reason().to_owned() };
    client.publish(LOBBY, notice).await?;
    Ok(())
}

fn topic(room_id: &str) -> String {
    format!("{ROOM}{room_id}")
}

/// Returns the topic of a room, for its members.
fn joined_topic(client: &Client, room_id: &str) -> Result<String, WsError> {
    let topic = topic(room_id);
    if client.is_subscribed(&topic) { Ok(topic) } else { Err(WsError::permission_denied("You are not in this room")) }
}
