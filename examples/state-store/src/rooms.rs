//! Rooms whose members are notified of the state.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::extract::State;
use switchboard::{ConnId, WsError, ws_message, ws_payload};

use crate::{App, Client, Shared, store::Subscription};

/// How many messages are kept.
const MAX_MESSAGES: usize = 10;

/// How many rooms one connection may be in.
const MAX_ROOMS: usize = 20;

#[ws_message("JOIN_ROOM")]
pub(crate) struct JoinRoom {
    #[validate(length(min = 1, max = 50))]
    room_id: String,
    #[validate(length(min = 1, max = 20))]
    username: String,
}

#[ws_message("SEND_MESSAGE")]
pub(crate) struct SendMessage {
    #[validate(length(min = 1, max = 50))]
    room_id: String,
    #[validate(length(min = 1, max = 500))]
    text: String,
}

#[ws_message("LEAVE_ROOM")]
pub(crate) struct LeaveRoom {
    #[validate(length(min = 1, max = 50))]
    room_id: String,
}

/// To all in a room, when they join and after each change.
#[ws_message("ROOM_STATE_UPDATE")]
struct RoomStateUpdate {
    room_id: String,
    user_count: usize,
    latest_messages: Vec<Said>,
}

#[ws_payload]
#[derive(Debug, Clone)]
struct Said {
    id: u64,
    username: String,
    text: String,
}

/// The state of a room, which exists while it has members.
#[derive(Debug, Default)]
pub(crate) struct Room {
    users: HashSet<ConnId>,
    messages: VecDeque<Said>,
    last_id: u64,
}

impl Room {
    fn say(&mut self, username: String, text: String) {
        self.last_id += 1;
        if self.messages.len() == MAX_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(Said { id: self.last_id, username, text });
    }

    fn state(&self, room_id: &str) -> RoomStateUpdate {
        let latest_messages = self.messages.iter().cloned().collect();
        RoomStateUpdate { room_id: room_id.to_owned(), user_count: self.users.len(), latest_messages }
    }
}

/// The rooms that a connection is in.
#[derive(Debug, Default)]
pub(crate) struct Memberships(Mutex<HashMap<String, Membership>>);

/// A member of a room; dropping it leaves the room, instead of a cleanup callback.
#[derive(Debug)]
struct Membership {
    app: Arc<App>,
    room_id: String,
    user: ConnId,
    username: String,
    /// `None` only if the room was empty, which it is not with a member.
    _subscription: Option<Subscription>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.app.rooms.remove_if(&self.room_id, |room| {
            room.users.remove(&self.user);
            room.users.is_empty()
        });
    }
}

impl Memberships {
    /// Leaves all rooms.
    pub(crate) fn end(&self) {
        // The memberships are dropped after the lock is released.
        let all = std::mem::take(&mut *self.lock());
        drop(all);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Membership>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) async fn join_room(client: Client, State(app): State<Shared>, join: JoinRoom) -> Result<(), WsError> {
    let JoinRoom { room_id, username } = join;
    let mut memberships = client.data().memberships.lock();
    if memberships.contains_key(&room_id) {
        return Err(WsError::already_exists("You are in this room"));
    }
    if memberships.len() >= MAX_ROOMS {
        return Err(WsError::resource_exhausted("You are in too many rooms"));
    }
    let user = client.id();
    app.rooms.update(&room_id, |room| {
        room.users.insert(user);
    })?;
    let (listener, of) = (client.clone(), room_id.clone());
    // Fails if the client has gone, whose subscription ends soon.
    let subscription = app.rooms.subscribe(&room_id, move |room| drop(listener.send(room.state(&of))));
    let membership = Membership { app, room_id: room_id.clone(), user, username, _subscription: subscription };
    memberships.insert(room_id, membership);
    Ok(())
}

pub(crate) async fn send_message(client: Client, State(app): State<Shared>, msg: SendMessage) -> Result<(), WsError> {
    let username = client.data().memberships.lock().get(&msg.room_id).map(|membership| membership.username.clone());
    let username = username.ok_or_else(not_in_room)?;
    app.rooms.update(&msg.room_id, |room| room.say(username, msg.text))?;
    Ok(())
}

pub(crate) async fn leave_room(client: Client, leave: LeaveRoom) -> Result<(), WsError> {
    let membership = client.data().memberships.lock().remove(&leave.room_id);
    membership.map(drop).ok_or_else(not_in_room)
}

fn not_in_room() -> WsError {
    WsError::permission_denied("You are not in this room")
}
