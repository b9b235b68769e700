//! Events of users.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, OnceLock},
};

use parking_lot::Mutex;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::conn::ConnId;

/// The largest capacity, since the channel allocates all of it at once.
const MAX_CAPACITY: usize = 1 << 20;

/// A change of a user's connections: [`Hub::user_events`](crate::Hub::user_events).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserEvent {
    /// The first connection of a user was identified, on any node: the user came online.
    #[non_exhaustive]
    Online {
        /// The user's key.
        user: Arc<str>,
        /// The connection that was identified; `None` if it is one of another node.
        conn: Option<ConnId>,
    },
    /// A further connection of a user was identified, on this node.
    #[non_exhaustive]
    ConnectionAdded {
        /// The user's key.
        user: Arc<str>,
        /// The connection that was identified.
        conn: ConnId,
    },
    /// One of several connections of a user has ended, on this node.
    #[non_exhaustive]
    ConnectionEnded {
        /// The user's key.
        user: Arc<str>,
        /// The connection that has ended.
        conn: ConnId,
    },
    /// The last connection of a user has ended, on any node: the user went offline.
    #[non_exhaustive]
    Offline {
        /// The user's key.
        user: Arc<str>,
        /// The connection that has ended; `None` if it was one of another node.
        conn: Option<ConnId>,
    },
    /// The reader was too slow and has missed the oldest events. Read
    /// [`Hub::local_users`](crate::Hub::local_users) for the current users of this node, or ask for
    /// each with [`UserHandle::is_online`](crate::UserHandle::is_online).
    #[non_exhaustive]
    Missed {
        /// The number of missed events, or a smaller one: what is missed while this is told may count once.
        count: u64,
    },
}

/// The events of users, in order: [`Hub::user_events`](crate::Hub::user_events).
#[derive(Debug)]
pub struct UserEvents(broadcast::Receiver<UserEvent>);

impl UserEvents {
    /// Returns the next event; `None` after all handles and connections of the hub are gone.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<UserEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(count)) => Some(UserEvent::Missed { count }),
            Err(RecvError::Closed) => None,
        }
    }
}

/// The sending side of user events. Does nothing before the first reader subscribes.
#[derive(Debug)]
pub(crate) struct UserFeed {
    sender: OnceLock<broadcast::Sender<UserEvent>>,
    capacity: usize,
    pending: Mutex<UnsentEvents>,
}

/// Events that were not sent yet. Sending wakes readers, whose wakers are foreign code, so it
/// happens with nothing locked.
#[derive(Debug, Default)]
struct UnsentEvents {
    events: VecDeque<UserEvent>,
    /// The number of events that did not fit.
    lost: u64,
    /// A thread is sending. Only one does, to keep the order.
    sending: bool,
}

/// Marks a thread as sending until dropped.
struct Sending<'a>(&'a UserFeed);

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.pending.lock().sending = false;
    }
}

impl Sending<'_> {
    fn next(&self) -> Option<UserEvent> {
        let mut pending = self.0.pending.lock();
        match mem::take(&mut pending.lost) {
            0 => pending.events.pop_front(),
            count => Some(UserEvent::Missed { count }),
        }
    }
}

impl UserFeed {
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, MAX_CAPACITY);
        Self { sender: OnceLock::new(), capacity, pending: Mutex::default() }
    }

    pub(crate) fn subscribe(&self) -> UserEvents {
        UserEvents(self.sender.get_or_init(|| broadcast::Sender::new(self.capacity)).subscribe())
    }

    /// Records an identified connection. Call it while the registry is locked, to keep the order of
    /// the changes, and call [`send`](Self::send) afterwards. `count` is the number of the user's
    /// connections.
    pub(crate) fn added(&self, user: &Arc<str>, conn: ConnId, count: usize) {
        self.tell(|| {
            let user = Arc::clone(user);
            if count == 1 {
                UserEvent::Online { user, conn: Some(conn) }
            } else {
                UserEvent::ConnectionAdded { user, conn }
            }
        });
    }

    /// Records the end of a connection, like [`added`](Self::added).
    pub(crate) fn ended(&self, user: &Arc<str>, conn: ConnId, count: usize) {
        self.tell(|| {
            let user = Arc::clone(user);
            if count == 0 {
                UserEvent::Offline { user, conn: Some(conn) }
            } else {
                UserEvent::ConnectionEnded { user, conn }
            }
        });
    }

    /// Records an event that another node, or this one, has reported.
    #[cfg(feature = "cluster")]
    pub(crate) fn reported(&self, event: UserEvent) {
        self.tell(|| event);
    }

    fn tell(&self, event: impl FnOnce() -> UserEvent) {
        if let Some(sender) = self.sender.get()
            && sender.receiver_count() > 0
        {
            let mut pending = self.pending.lock();
            if pending.events.len() == self.capacity {
                pending.events.pop_front();
                pending.lost += 1;
            }
            pending.events.push_back(event());
        }
    }

    /// Sends recorded events, unless another thread is doing so. Call it with nothing locked.
    pub(crate) fn send(&self) {
        let Some(sender) = self.sender.get() else { return };
        while !self.pending.lock().events.is_empty() {
            if mem::replace(&mut self.pending.lock().sending, true) {
                return;
            }
            let sending = Sending(self);
            while let Some(event) = sending.next() {
                // Fails if the last reader has gone meanwhile.
                _ = sender.send(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The feed is behind a thread that sends, whose readers are slow to wake.
    #[tokio::test]
    async fn events_that_do_not_fit_before_they_are_sent_are_counted() {
        let feed = UserFeed::new(3);
        let mut events = feed.subscribe();
        let ann = Arc::from("ann");
        let conn = ConnId::new();
        for count in 1..=5 {
            feed.added(&ann, conn, count);
        }
        feed.send();
        assert_eq!(events.next().await, Some(UserEvent::Missed { count: 2 }));
        for _ in 3..=5 {
            assert_eq!(events.next().await, Some(UserEvent::ConnectionAdded { user: Arc::clone(&ann), conn }));
        }
        feed.ended(&ann, conn, 4);
        feed.send();
        assert_eq!(events.next().await, Some(UserEvent::ConnectionEnded { user: ann, conn }));
    }
}
