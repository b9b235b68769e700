//! Tells the clients of this node what no message tells: how many members the rooms have, and how the link is.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use switchboard::{Hub, Message, cluster::Health};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    messages::{Link, LinkChanged, Room, Rooms},
    rooms::{count_all, uncounted},
};

/// How often the link is looked at.
const LINK_INTERVAL: Duration = Duration::from_millis(250);

/// How often members are counted while this node has connections. Members of a node that was killed leave without a word,
/// so it is not enough to count when somebody enters or leaves.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

/// The least time between two counts: many who enter at once are counted once.
const MIN_COUNT_INTERVAL: Duration = Duration::from_millis(100);

/// How many connections are written to before other tasks run.
const CHUNK: usize = 256;

/// Counts the members of all rooms and watches the link, in one task: so what is sent last is current.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    wake: Notify,
    /// As the clients of this node know them.
    rooms: Mutex<Vec<Room>>,
}

impl Pulse {
    /// Lets the members be counted soon.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Returns the rooms as they were counted last.
    pub(crate) fn rooms(&self, hub: &Hub) -> Vec<Room> {
        let rooms = self.lock().clone();
        if rooms.is_empty() { uncounted(hub) } else { rooms }
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(&self, hub: &Hub) {
        let mut ticks = interval(LINK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut link = link_of(hub);
        let mut counted = Instant::now();
        loop {
            let is_due = tokio::select! {
                _ = ticks.tick() => counted.elapsed() >= COUNT_INTERVAL,
                () = self.wake.notified() => {
                    tokio::time::sleep_until(counted + MIN_COUNT_INTERVAL).await;
                    true
                }
            };
            let now = link_of(hub);
            if now != link {
                link = now;
                send_to_all(hub, LinkChanged { link }).await;
            }
            // Without the link, only the members of this node would be counted.
            if is_due && link != Link::Down && hub.stats().connections > 0 {
                counted = Instant::now();
                self.count(hub).await;
            }
        }
    }

    async fn count(&self, hub: &Hub) {
        let rooms = count_all(hub).await;
        if *self.lock() != rooms {
            self.lock().clone_from(&rooms);
            send_to_all(hub, Rooms { rooms }).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Room>> {
        // The list is replaced as a whole.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the state of the link as clients are told.
pub(crate) fn link_of(hub: &Hub) -> Link {
    match hub.health() {
        None | Some(Health::Healthy | Health::Draining) => Link::Up,
        Some(Health::Starting | Health::Disconnected) => Link::Down,
        Some(_) => Link::Doubtful,
    }
}

/// Sends a message to the clients of this node: each node says for itself what it knows.
async fn send_to_all(hub: &Hub, message: impl Message<Meta = ()> + Clone) {
    for (index, conn) in hub.local_connections().enumerate() {
        // One that is closing needs it no more.
        _ = conn.send(message.clone());
        if index % CHUNK == CHUNK - 1 {
            tokio::task::yield_now().await;
        }
    }
}
