//! One timer for the checks of all connections of a hub: pings, deadlines, expiries.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::HubInner;
use crate::conn::ConnId;

/// Checks are this much late at most.
const TICK: Duration = Duration::from_millis(TICK_MS);
const TICK_MS: u64 = 20;

/// What lies further ahead than these ticks goes round again.
const SLOTS: u64 = 2048;

/// What is to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Send a ping.
    Ping,
    /// Has it been answered?
    Pong,
    /// Is it known by now who this is?
    Identified,
    /// Is the identity still good?
    Expired,
    /// Ask the application whether the connection may stay.
    Reauthorize,
}

/// A hashed timing wheel. It keeps ids, not connections: who has left is not found when its time
/// comes. Its task ends when nothing is scheduled, so an idle hub costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Wheel {
    state: Mutex<State>,
    /// Something was scheduled that is due before what the task sleeps for.
    earlier: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    slots: Vec<Vec<Entry>>,
    /// Ticks are counted from here.
    start: Option<Instant>,
    /// The next tick to be looked at.
    next: u64,
    /// When the task wakes up; `None` without a task.
    sleeps_until: Option<u64>,
    /// Tells a task from those before it.
    tasks: u64,
}

#[derive(Debug)]
struct Entry {
    tick: u64,
    conn: ConnId,
    check: Check,
}

impl State {
    /// The first tick that is not before a time from now on.
    fn tick_after(&mut self, after: Duration) -> u64 {
        let now = Instant::now();
        let passed = now.saturating_duration_since(*self.start.get_or_insert(now));
        let ticks = passed.saturating_add(after).as_nanos().div_ceil(TICK.as_nanos());
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    fn slot(tick: u64) -> usize {
        // Less than `SLOTS`.
        usize::try_from(tick % SLOTS).unwrap_or_default()
    }

    /// The first tick from `next` on that has entries, looking once round.
    fn next_due(&self) -> Option<u64> {
        (self.next..self.next + SLOTS)
            .find(|tick| self.slots.get(Self::slot(*tick)).is_some_and(|slot| !slot.is_empty()))
    }

    /// Takes what is due up to and with this tick.
    fn take_due(&mut self, now: u64) -> Vec<Entry> {
        let mut due = Vec::new();
        // No more than once round.
        let from = self.next.max(now.saturating_sub(SLOTS - 1));
        for tick in from..=now {
            let Some(slot) = self.slots.get_mut(Self::slot(tick)) else { continue };
            let mut index = 0;
            while index < slot.len() {
                if slot[index].tick <= now {
                    due.push(slot.swap_remove(index));
                } else {
                    index += 1;
                }
            }
            if slot.is_empty() {
                *slot = Vec::new();
            }
        }
        self.next = now + 1;
        due
    }
}

impl Wheel {
    /// Has a connection checked after some time, give or take a tick.
    pub(crate) fn schedule(&self, hub: &Arc<HubInner>, conn: ConnId, after: Duration, check: Check) {
        let mut state = self.state.lock();
        if state.slots.is_empty() {
            state.slots.resize_with(usize::try_from(SLOTS).unwrap_or_default(), Vec::new);
        }
        let tick = state.tick_after(after).max(state.next);
        state.slots[State::slot(tick)].push(Entry { tick, conn, check });
        match state.sleeps_until {
            Some(until) if until <= tick => {}
            Some(_) => self.earlier.notify_one(),
            None => {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    state.sleeps_until = Some(tick);
                    state.tasks += 1;
                    runtime.spawn(turn(Running { hub: Arc::downgrade(hub), task: state.tasks }));
                }
            }
        }
    }
}

/// The wheel's task. If it ends, with its runtime perhaps, the next schedule starts another.
struct Running {
    hub: Weak<HubInner>,
    task: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            let mut state = hub.wheel.state.lock();
            // Another may have begun since this one found nothing to do.
            if state.tasks == self.task {
                state.sleeps_until = None;
            }
        }
    }
}

async fn turn(running: Running) {
    loop {
        let Some(hub) = running.hub.upgrade() else { return };
        let earlier = Arc::clone(&hub.wheel.earlier);
        let notified = earlier.notified();
        let until = {
            let mut state = hub.wheel.state.lock();
            // What lies further ahead than one round is looked for again after it.
            let Some(due) = state.next_due() else {
                state.slots = Vec::new();
                state.sleeps_until = None;
                return;
            };
            state.sleeps_until = Some(due);
            state.start.and_then(|start| start.checked_add(Duration::from_millis(due.saturating_mul(TICK_MS))))
        };
        // Nobody keeps the hub while this sleeps.
        drop(hub);
        let Some(until) = until else { return };
        if timeout_at(until, notified).await.is_ok() {
            continue;
        }
        let Some(hub) = running.hub.upgrade() else { return };
        let due = {
            let mut state = hub.wheel.state.lock();
            let Some(start) = state.start else { return };
            let passed = Instant::now().saturating_duration_since(start).as_nanos() / TICK.as_nanos();
            state.take_due(u64::try_from(passed).unwrap_or(u64::MAX))
        };
        for (index, Entry { conn, check, .. }) in due.into_iter().enumerate() {
            if let Some(found) = hub.connection(conn)
                && let Some((check, after)) = found.check(check)
            {
                hub.wheel.schedule(&hub, conn, after, check);
            }
            if index % 256 == 255 {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Hub,
        conn::{ConnInner, ConnOrigin},
    };

    impl State {
        fn entries(&self) -> usize {
            self.slots.iter().map(Vec::len).sum()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_scheduled_later_and_due_earlier_wakes_the_task() {
        let hub = Hub::new();
        let inner = hub.inner();
        let conn = ConnId::new();
        inner.wheel.schedule(inner, conn, Duration::from_secs(60), Check::Ping);
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        inner.wheel.schedule(inner, conn, Duration::from_millis(50), Check::Pong);
        assert_eq!(inner.wheel.state.lock().entries(), 2);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(inner.wheel.state.lock().entries(), 1);
        tokio::time::sleep(Duration::from_secs(60)).await;
        // Nothing is left, not even the task.
        let state = inner.wheel.state.lock();
        assert_eq!((state.entries(), state.slots.len(), state.sleeps_until), (0, 0, None));
    }

    /// A connection of a hub.
    fn connected(hub: &Hub) -> Arc<ConnInner<()>> {
        let router = crate::WsRouter::<()>::new().hub(hub.clone()).mount();
        let conn = Arc::new(ConnInner::new(ConnOrigin {
            settings: Arc::clone(router.settings()),
            state: Arc::new(()),
            kept: Default::default(),
            remote_addr: None,
            client_ip: None,
            dialect: Default::default(),
            place: None,
            data: (),
        }));
        hub.connected(&conn);
        conn
    }

    #[tokio::test(start_paused = true)]
    async fn an_identity_is_looked_at_where_it_may_expire_and_no_more() {
        let hub = Hub::new();
        let conn = connected(&hub);
        let identify = |seconds| {
            let identity = crate::Identity::new("ann").expires_in(Duration::from_secs(seconds));
            conn.identify(&identity).unwrap();
        };
        for _ in 0..100 {
            identify(100);
            identify(10);
            identify(100);
            tokio::time::sleep(Duration::from_secs(11)).await;
        }
        let entries = hub.inner().wheel.state.lock().entries();
        assert!((1..=12).contains(&entries), "{entries}");
        assert!(!conn.outbox.is_closed());
        identify(10);
        tokio::time::sleep(Duration::from_secs(11)).await;
        assert!(conn.outbox.is_closed());
        hub.disconnected(&*conn);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_task_is_not_that_of_the_next() {
        let hub = Hub::new();
        let inner = hub.inner();
        let ended = Running { hub: Arc::downgrade(inner), task: 0 };
        inner.wheel.schedule(inner, ConnId::new(), Duration::from_secs(60), Check::Ping);
        let sleeps_until = || inner.wheel.state.lock().sleeps_until;
        let until = sleeps_until();
        assert!(until.is_some());
        drop(ended);
        assert_eq!(sleeps_until(), until);
    }

    #[test]
    fn what_is_due_is_taken_once_and_what_is_far_ahead_stays() {
        let mut state = State::default();
        state.slots.resize_with(SLOTS as usize, Vec::new);
        let conn = ConnId::new();
        for tick in [3, 5, 5, 3 + SLOTS, 3 + 3 * SLOTS] {
            state.slots[State::slot(tick)].push(Entry { tick, conn, check: Check::Ping });
        }
        assert_eq!(state.next_due(), Some(3));
        let ticks = |due: Vec<Entry>| due.into_iter().map(|entry| entry.tick).collect::<Vec<_>>();
        assert_eq!(ticks(state.take_due(4)), [3]);
        assert_eq!(ticks(state.take_due(5)), [5, 5]);
        assert_eq!(ticks(state.take_due(3 + SLOTS - 1)), [0; 0]);
        assert_eq!(ticks(state.take_due(3 + SLOTS)), [3 + SLOTS]);
        // A task that woke up very late.
        assert_eq!(ticks(state.take_due(10 * SLOTS)), [3 + 3 * SLOTS]);
        assert_eq!((state.next_due(), state.entries()), (None, 0));
    }
}
