//! The handlers of the clients' messages.

use std::sync::Arc;

use switchboard::{Conn, WsError, ws_handlers};
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;

use crate::{
    messages::{
        AuthSuccess, Authenticate, ChatMessage, CreateRoom, DirectMessage, History, JoinRoom, JoinSuccess, LeaveRoom,
        RoomCreated, RoomList, RoomUsers, SendDirectMessage, SendMessage, TypingStart, TypingStop, UserDisconnected,
        UserJoined, UserLeft, UserTyping, Welcome,
    },
    session::Session,
    store::{Room, SignedIn, Store, Turn, User, now_ms},
};

/// The topic of the list of rooms, which every connection is subscribed to.
const LOBBY: &str = "lobby";

type Client = Conn<Session>;

/// The chat. Its methods are the handlers of the WebSocket.
#[derive(Debug)]
pub(crate) struct Chat {
    store: Arc<Store>,
    /// The list of rooms is read and published under this lock, so that the last published one is
    /// current.
    lobby: AsyncMutex<()>,
}

/// Why a connection leaves its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    /// To join another room: it still gets the notice that it left.
    ForAnother,
    OnRequest,
    Closed,
}

#[ws_handlers(data = Session)]
impl Chat {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store, lobby: AsyncMutex::default() }
    }

    #[ws(on_open)]
    async fn opened(&self, client: Client) -> Result<(), WsError> {
        client.send(Welcome {
            message: "Welcome to the chat".into(),
            client_id: client.id().to_string(),
            username: client.data().guest_name().into(),
        })?;
        let _turn = self.lobby.lock().await;
        client.subscribe(LOBBY).await?;
        client.send(RoomList { rooms: self.store.room_list() })?;
        Ok(())
    }

    async fn authenticate(&self, client: Client, msg: Authenticate) -> Result<(), WsError> {
        let session = client.data();
        if let Some(before) = session.user().filter(|user| !user.has_token(&msg.token)) {
            // It becomes another user, who is not in that room.
            self.leave(&client, Leaving::ForAnother).await?;
            client.unsubscribe(direct_topic(before.id())).await?;
            self.sign_out(session);
        }
        let SignedIn { user, renamed } = match session.user() {
            Some(user) => {
                let renamed = msg.username.is_some_and(|name| user.rename(name));
                SignedIn { user, renamed }
            }
            None => {
                let signed_in = self.store.sign_in(&msg.token, msg.username, session.guest_name());
                session.set_user(Arc::clone(&signed_in.user));
                signed_in
            }
        };
        client.subscribe(direct_topic(user.id())).await?;
        client.send(AuthSuccess { user_id: user.id().into(), username: user.name() })?;
        if renamed { self.publish_name(&client, &user).await } else { Ok(()) }
    }

    async fn join_room(&self, client: Client, msg: JoinRoom) -> Result<(), WsError> {
        let session = client.data();
        let user = authenticated(session, "You must be authenticated to join a room")?;
        let room = self.room(&msg.room_id)?;
        if session.member_of(room.id()).is_some() {
            return welcome_in(&client, &room.turn().await);
        }
        self.leave(&client, Leaving::ForAnother).await?;
        if msg.username.is_some_and(|name| user.rename(name)) {
            self.publish_name(&client, &user).await?;
        }

        let turn = room.turn().await;
        client.subscribe(room.topic()).await?;
        let is_first = turn.enter(&user);
        session.set_room(Arc::clone(&room));
        welcome_in(&client, &turn)?;
        if !is_first {
            // The others know this user already. Only the new connection needs the members.
            client.send(room_users(&turn))?;
            return Ok(());
        }
        let joined = UserJoined {
            room_id: room.id().into(),
            user_id: user.id().into(),
            username: user.name(),
            user_count: turn.count(),
        };
        client.publish(room.topic(), joined).await?;
        client.publish(room.topic(), room_users(&turn)).await?;
        drop(turn);
        self.publish_rooms(&client).await
    }

    async fn leave_room(&self, client: Client, msg: LeaveRoom) -> Result<(), WsError> {
        authenticated(client.data(), "You must be authenticated to leave a room")?;
        if client.data().member_of(&msg.room_id).is_none() {
            return Err(WsError::invalid_argument("You are not in this room"));
        }
        self.leave(&client, Leaving::OnRequest).await
    }

    async fn send_message(&self, client: Client, msg: SendMessage) -> Result<(), WsError> {
        authenticated(client.data(), "You must be authenticated to send messages")?;
        self.room(&msg.room_id)?;
        let Some((user, room)) = client.data().member_of(&msg.room_id) else {
            return Err(WsError::permission_denied("You must join the room before sending messages"));
        };
        let turn = room.turn().await;
        let message = ChatMessage {
            message_id: Uuid::now_v7().to_string(),
            room_id: msg.room_id,
            user_id: user.id().into(),
            username: user.name(),
            text: msg.text,
            timestamp: now_ms(),
            attachment: msg.attachment,
        };
        turn.remember(message.clone());
        client.publish(room.topic(), message).await?;
        Ok(())
    }

    /// The sender is the user who signed in on this connection: a message cannot name another one.
    async fn send_direct_message(&self, client: Client, msg: SendDirectMessage) -> Result<(), WsError> {
        let user = authenticated(client.data(), "You must be authenticated to send messages")?;
        let to = direct_topic(&msg.to_user_id);
        let message = DirectMessage {
            message_id: Uuid::now_v7().to_string(),
            to_user_id: msg.to_user_id,
            user_id: user.id().into(),
            username: user.name(),
            text: msg.text,
            timestamp: now_ms(),
        };
        if client.publish(to, message.clone()).await?.count() == Some(0) {
            return Err(WsError::not_found("This person is not online"));
        }
        if message.to_user_id != user.id() {
            client.publish(direct_topic(user.id()), message).await?;
        }
        Ok(())
    }

    async fn create_room(&self, client: Client, msg: CreateRoom) -> Result<(), WsError> {
        authenticated(client.data(), "You must be authenticated to create a room")?;
        let room = self.store.create_room(&msg.name)?;
        client.send(RoomCreated { room_id: room.id().into(), name: room.name().into() })?;
        self.publish_rooms(&client).await
    }

    async fn typing_start(&self, client: Client, msg: TypingStart) -> Result<(), WsError> {
        publish_typing(&client, &msg.room_id, true).await
    }

    async fn typing_stop(&self, client: Client, msg: TypingStop) -> Result<(), WsError> {
        publish_typing(&client, &msg.room_id, false).await
    }

    #[ws(on_close)]
    async fn closed(&self, client: Client) -> Result<(), WsError> {
        let left = self.leave(&client, Leaving::Closed).await;
        self.sign_out(client.data());
        left
    }

    fn room(&self, id: &str) -> Result<Arc<Room>, WsError> {
        self.store.room(id).ok_or_else(|| WsError::not_found(format!("Room {id} does not exist")))
    }

    fn sign_out(&self, session: &Session) {
        if let Some(user) = session.take_user() {
            self.store.sign_out(&user);
        }
    }

    /// Removes the connection from its room, if it is in one.
    #[ws(skip)]
    async fn leave(&self, client: &Client, why: Leaving) -> Result<(), WsError> {
        let session = client.data();
        let (Some(user), Some(room)) = (session.user(), session.room()) else { return Ok(()) };
        let turn = room.turn().await;
        session.leave_room();
        let is_last = turn.exit(&user);
        let user_count = turn.count();
        let left = UserLeft { room_id: room.id().into(), user_id: user.id().into(), username: user.name(), user_count };
        let left = is_last.then(|| client.publish(room.topic(), left));
        match (why, left) {
            (Leaving::ForAnother, Some(left)) => {
                left.await?;
                client.unsubscribe(room.topic()).await?;
            }
            (_, left) => {
                client.unsubscribe(room.topic()).await?;
                // The user is still there with another connection.
                let Some(left) = left else { return Ok(()) };
                left.await?;
            }
        }
        if why == Leaving::Closed {
            client.publish(room.topic(), UserDisconnected { user_count }).await?;
        }
        client.publish(room.topic(), room_users(&turn)).await?;
        drop(turn);
        self.publish_rooms(client).await
    }

    /// Publishes the rooms and their member counts to all clients.
    #[ws(skip)]
    async fn publish_rooms(&self, client: &Client) -> Result<(), WsError> {
        let _turn = self.lobby.lock().await;
        client.publish(LOBBY, RoomList { rooms: self.store.room_list() }).await?;
        Ok(())
    }

    /// Tells the new name of a user to all rooms that the user is in.
    #[ws(skip)]
    async fn publish_name(&self, client: &Client, user: &User) -> Result<(), WsError> {
        for room in self.store.rooms_of(user) {
            let turn = room.turn().await;
            client.publish(room.topic(), room_users(&turn)).await?;
        }
        Ok(())
    }
}

fn authenticated(session: &Session, otherwise: &'static str) -> Result<Arc<User>, WsError> {
    session.user().ok_or_else(|| WsError::unauthenticated(otherwise))
}

/// The topic of all connections of a user. Clients do not choose topic names, so they cannot
/// subscribe to another user's.
fn direct_topic(user_id: &str) -> String {
    format!("user:{user_id}")
}

/// Sends a connection the messages about a room that it joins.
fn welcome_in(client: &Client, room: &Turn<'_>) -> Result<(), WsError> {
    client.send(JoinSuccess { room_id: room.id().into(), user_count: room.count() })?;
    client.send(History { room_id: room.id().into(), messages: room.history() })?;
    Ok(())
}

fn room_users(room: &Turn<'_>) -> RoomUsers {
    let users = room.users();
    RoomUsers { room: room.id().into(), count: users.len(), users }
}

/// Ignored from outside the room: the notice may have crossed with leaving it.
async fn publish_typing(client: &Client, room_id: &str, typing: bool) -> Result<(), WsError> {
    let Some((user, room)) = client.data().member_of(room_id) else { return Ok(()) };
    // In turn, so that members get it only after their welcome in the room.
    let _turn = room.turn().await;
    let notice = UserTyping { room_id: room_id.into(), user_id: user.id().into(), username: user.name(), typing };
    client.publish(room.topic(), notice).except_self().await?;
    Ok(())
}
