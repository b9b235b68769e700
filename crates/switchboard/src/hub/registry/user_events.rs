//! Who comes and goes.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, OnceLock},
};

use parking_lot::Mutex;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{conn::ConnId, hub::Hub};

/// The most that may wait for one reader: room for all of them is made at once.
const MAX_CAPACITY: usize = 1 << 20;

/// Something about a user's connections has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserEvent {
    /// A user who had no connection has one: they came online.
    #[non_exhaustive]
    Online {
        /// Who.
        user: Arc<str>,
        /// The connection that was identified.
        conn: ConnId,
    },
    /// A further connection of a user was identified.
    #[non_exhaustive]
    ConnectionAdded {
        /// Whose.
        user: Arc<str>,
        /// The connection that was identified.
        conn: ConnId,
    },
    /// One of several connections of a user has ended.
    #[non_exhaustive]
    ConnectionEnded {
        /// Whose.
        user: Arc<str>,
        /// The connection that has ended.
        conn: ConnId,
    },
    /// The last connection of a user has ended: they went offline.
    #[non_exhaustive]
    Offline {
        /// Who.
        user: Arc<str>,
        /// The connection that has ended.
        conn: ConnId,
    },
    /// The reader was too slow, and the oldest events are lost. [`Hub::users`] says who is there.
    #[non_exhaustive]
    Missed {
        /// How many.
        count: u64,
    },
}

/// What happens to the users of a hub from now on, in order: see [`Hub::user_events`].
#[derive(Debug)]
pub struct UserEvents(broadcast::Receiver<UserEvent>);

impl UserEvents {
    /// The next event; `None` once the hub is gone, with all its handles and connections.
    ///
    /// # Cancel safety
    ///
    /// Safe: no event is lost when it is dropped.
    pub async fn next(&mut self) -> Option<UserEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(count)) => Some(UserEvent::Missed { count }),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Nothing before somebody wants to read.
#[derive(Debug)]
pub(crate) struct UserFeed {
    sender: OnceLock<broadcast::Sender<UserEvent>>,
    capacity: usize,
    pending: Mutex<UnsentEvents>,
}

/// What has happened and is not sent yet. Sending wakes readers, whose wakers are foreign code, and
/// so waits until nothing is locked.
#[derive(Debug, Default)]
struct UnsentEvents {
    events: VecDeque<UserEvent>,
    /// As many did not fit.
    lost: u64,
    /// One thread sends, for the order.
    sending: bool,
}

/// Sends until it is dropped.
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

    fn subscribe(&self) -> UserEvents {
        UserEvents(self.sender.get_or_init(|| broadcast::Sender::new(self.capacity)).subscribe())
    }

    /// To be called while the registry is locked, so that the order is that of the changes, and to be
    /// followed by [`send`](Self::send). `count`: how many connections the user has now.
    pub(crate) fn added(&self, user: &Arc<str>, conn: ConnId, count: usize) {
        self.tell(|| {
            let user = Arc::clone(user);
            if count == 1 { UserEvent::Online { user, conn } } else { UserEvent::ConnectionAdded { user, conn } }
        });
    }

    /// As [`added`](Self::added).
    pub(crate) fn ended(&self, user: &Arc<str>, conn: ConnId, count: usize) {
        self.tell(|| {
            let user = Arc::clone(user);
            if count == 0 { UserEvent::Offline { user, conn } } else { UserEvent::ConnectionEnded { user, conn } }
        });
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

    /// Sends what has happened, with nothing locked, unless another thread is at it.
    pub(crate) fn send(&self) {
        let Some(sender) = self.sender.get() else { return };
        while !self.pending.lock().events.is_empty() {
            if mem::replace(&mut self.pending.lock().sending, true) {
                return;
            }
            let sending = Sending(self);
            while let Some(event) = sending.next() {
                // An error says that the last reader has just gone.
                _ = sender.send(event);
            }
        }
    }
}

impl Hub {
    /// Who comes online and goes offline from now on, and with which connections, in the order in
    /// which it happens: a connection counts as its user's from
    /// [`identify`](crate::Conn::identify) until its `on_close` hooks are done.
    ///
    /// A user who loads a page anew goes offline and comes back a moment later.
    ///
    /// ```
    /// use switchboard::{Hub, UserEvent};
    ///
    /// async fn watch(hub: Hub) {
    ///     let mut events = hub.user_events();
    ///     // The task ends with the hub.
    ///     drop(hub);
    ///     while let Some(event) = events.next().await {
    ///         match event {
    ///             UserEvent::Online { user, .. } => println!("{user} came"),
    ///             UserEvent::Offline { user, .. } => println!("{user} went"),
    ///             UserEvent::Missed { count, .. } => println!("{count} events were lost"),
    ///             _ => {}
    ///         }
    ///     }
    /// }
    /// # let _ = watch(Hub::new());
    /// ```
    ///
    /// Every reader gets all events, and may be behind by
    /// [`max_queued_user_events`](crate::HubBuilder::max_queued_user_events).
    #[must_use]
    pub fn user_events(&self) -> UserEvents {
        self.0.users.subscribe()
    }
}
