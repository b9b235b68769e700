//! `/ws/rooms/{room_id}`: the room is in the path. Also shows the API of a connection.

mod messages;

use std::sync::Arc;

use axum::extract::Path;
use serde::Deserialize;
use switchboard::{Authenticated, CloseCode, Conn, EnvelopeStyle, WsError, WsRouter};

use self::messages::{Bye, Follow, Following, GetInfo, Info, Message, Post, Say, ServerMessage, Unfollow};
use crate::{
    occupancy::Occupancy,
    users::{self, User},
};

/// A room's name in a path: 1 to 50 letters, digits, `-` and `_`. Other names are answered with 400
/// at the upgrade.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct RoomId(String);

impl TryFrom<String> for RoomId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if is_plain && (1..=50).contains(&text.len()) { Ok(Self(text)) } else { Err("not the name of a room") }
    }
}

impl RoomId {
    fn topic(&self) -> String {
        format!("room:{}", self.0)
    }
}

type Client = Conn<User, ServerMessage>;

pub(crate) fn ws() -> WsRouter<Arc<Occupancy>, User, ServerMessage, Authenticated> {
    WsRouter::<_, User>::sending::<ServerMessage>()
        .envelope(EnvelopeStyle::Flat)
        .tokens(users::token_sources())
        .authenticate(users::authenticate)
        .on_open(opened)
        .on(say)
        .on(follow)
        .on(unfollow)
        .on(post)
        .on(info)
        .on(bye)
}

async fn opened(client: Client, Path(room): Path<RoomId>) -> Result<(), WsError> {
    client.subscribe(room.topic()).await?;
    Ok(())
}

async fn say(client: Client, Path(room): Path<RoomId>, msg: Say) -> Result<(), WsError> {
    client.publish(room.topic(), Message { content: msg.message }).await?;
    Ok(())
}

async fn follow(client: Client, msg: Follow) -> Result<Following, WsError> {
    for topic in &msg.topics {
        client.subscribe(public_topic(topic)).await?;
    }
    Ok(Following { topics: client.topics() })
}

async fn unfollow(client: Client, msg: Unfollow) -> Result<Following, WsError> {
    for topic in &msg.topics {
        client.unsubscribe(public_topic(topic)).await?;
    }
    Ok(Following { topics: client.topics() })
}

async fn post(client: Client, msg: Post) -> Result<(), WsError> {
    client.publish(public_topic(&msg.topic), Message { content: msg.message }).await?;
    Ok(())
}

async fn info(client: Client, Path(room): Path<RoomId>, _: GetInfo) -> Info {
    let User { id, email } = client.data().clone();
    let remote_address = client.remote_addr().map(|address| address.to_string());
    Info { room_id: room.0, user_id: id, user_email: email, remote_address }
}

async fn bye(client: Client, msg: Bye) {
    client.close(CloseCode::NORMAL, if msg.in_words { "Normal closure" } else { "" });
}

/// Topics that clients name have a prefix of their own, so that they are separate from rooms.
fn public_topic(name: &str) -> String {
    format!("topic:{name}")
}
