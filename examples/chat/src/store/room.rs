//! A room: its members and its last messages.

use std::{
    collections::VecDeque,
    ops::Deref,
    sync::{Arc, Mutex},
};

use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard};

use super::{User, lock};
use crate::messages::{ChatMessage, RoomUser};

/// How many messages a room remembers.
const HISTORY: usize = 50;

/// A room. Changes need a [`Turn`].
#[derive(Debug)]
pub(crate) struct Room {
    id: String,
    name: String,
    topic: String,
    turn: AsyncMutex<()>,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    /// In the order in which they joined.
    members: Vec<Member>,
    /// Oldest first.
    history: VecDeque<ChatMessage>,
}

/// A user in the room, with one or more connections.
#[derive(Debug)]
struct Member {
    user: Arc<User>,
    connections: usize,
}

impl Room {
    pub(super) fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            topic: format!("room:{id}"),
            turn: AsyncMutex::default(),
            inside: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the topic of its members.
    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns how many users are in it.
    pub(crate) fn count(&self) -> usize {
        lock(&self.inside).members.len()
    }

    pub(crate) fn has(&self, user: &User) -> bool {
        lock(&self.inside).position(user).is_some()
    }

    /// Waits for the right to change the room.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        Turn { _guard: self.turn.lock().await, room: self }
    }
}

/// The right to change a room, held until the change is published. So the last message about the
/// members is current, and each chat message either is in the history that a new member gets, or
/// follows it.
pub(crate) struct Turn<'a> {
    room: &'a Room,
    _guard: AsyncMutexGuard<'a, ()>,
}

impl Deref for Turn<'_> {
    type Target = Room;

    fn deref(&self) -> &Room {
        self.room
    }
}

impl Turn<'_> {
    /// Adds a connection. Returns `true` if it is the user's first one here.
    pub(crate) fn enter(&self, user: &Arc<User>) -> bool {
        let mut inside = lock(&self.room.inside);
        if let Some(position) = inside.position(user) {
            inside.members[position].connections += 1;
            return false;
        }
        inside.members.push(Member { user: Arc::clone(user), connections: 1 });
        true
    }

    /// Removes a connection. Returns `true` if it was the user's last one here.
    pub(crate) fn exit(&self, user: &User) -> bool {
        let mut inside = lock(&self.room.inside);
        let Some(position) = inside.position(user) else { return false };
        inside.members[position].connections -= 1;
        let last = inside.members[position].connections == 0;
        if last {
            inside.members.remove(position);
        }
        last
    }

    pub(crate) fn users(&self) -> Vec<RoomUser> {
        let member = |member: &Member| RoomUser { user_id: member.user.id().into(), username: member.user.name() };
        lock(&self.room.inside).members.iter().map(member).collect()
    }

    pub(crate) fn remember(&self, message: ChatMessage) {
        let history = &mut lock(&self.room.inside).history;
        if history.len() == HISTORY {
            history.pop_front();
        }
        history.push_back(message);
    }

    pub(crate) fn history(&self) -> Vec<ChatMessage> {
        lock(&self.room.inside).history.iter().cloned().collect()
    }
}

impl Inside {
    fn position(&self, user: &User) -> Option<usize> {
        self.members.iter().position(|member| std::ptr::eq(&*member.user, user))
    }
}
