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

/// A room. It is changed in turns, see [`Turn`].
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
    /// In the order in which they came.
    members: Vec<Member>,
    /// Oldest first.
    history: VecDeque<ChatMessage>,
}

/// Somebody in the room, with one or more connections.
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

    /// The topic that its members are subscribed to.
    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// How many people are in it.
    pub(crate) fn count(&self) -> usize {
        lock(&self.inside).members.len()
    }

    pub(crate) fn has(&self, user: &User) -> bool {
        lock(&self.inside).position(user).is_some()
    }

    /// Waits until nobody else changes the room.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        Turn { _guard: self.turn.lock().await, room: self }
    }
}

/// The right to change a room. It is kept until the change is published: what members are told
/// last is then how the room is, and a message is either in the history that somebody who joins is
/// sent or comes after it.
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
    /// One more connection. `true` if it is the person's first here.
    pub(crate) fn enter(&self, user: &Arc<User>) -> bool {
        let mut inside = lock(&self.room.inside);
        if let Some(position) = inside.position(user) {
            inside.members[position].connections += 1;
            return false;
        }
        inside.members.push(Member { user: Arc::clone(user), connections: 1 });
        true
    }

    /// One connection less. `true` if it was the person's last here.
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
