//! One timer for the checks of all connections of a hub: pings, deadlines, expiries.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{
    conn::{AnyConn, ConnId, ConnInner},
    fanout::Slab,
    hub::HubInner,
    shrink::shrink,
};

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

/// A hashed timing wheel. A connection has one entry at most, for the earliest of its checks, which
/// goes when the connection does. Its task ends when nothing is scheduled, so an idle hub costs
/// nothing.
#[derive(Debug, Default)]
pub(crate) struct Wheel {
    state: Mutex<WheelState>,
    /// Something was scheduled that is due before what the task sleeps for, or nothing is any more.
    earlier: Arc<Notify>,
}

/// A connection's entry in the wheel. Looked at and changed with the wheel locked.
#[derive(Debug)]
pub(crate) struct TimerKey(AtomicU32);

/// The connection has ended: it gets no entry any more.
const ENDED: u32 = u32::MAX;

impl Default for TimerKey {
    fn default() -> Self {
        Self(AtomicU32::new(ENDED - 1))
    }
}

#[derive(Debug, Default)]
struct WheelState {
    /// Keys of `timers`, by the ticks at which they are due.
    slots: Vec<Vec<u32>>,
    timers: Slab<Timer>,
    /// The further checks of connections that wait for more than one.
    later: FxHashMap<ConnId, Vec<Due>>,
    /// Ticks are counted from here.
    start: Option<Instant>,
    /// The next tick to be looked at.
    next: u64,
    /// When the task wakes up; `None` without a task.
    sleeps_until: Option<u64>,
    /// Tells a task from those before it.
    tasks: u64,
}

type Due = (u64, Check);

/// The earliest check of one connection.
#[derive(Debug)]
struct Timer {
    tick: u64,
    conn: ConnId,
    /// Where in its slot its key is.
    index: u32,
    check: Check,
}

fn narrow(index: usize) -> u32 {
    // As many connections have no room anywhere.
    u32::try_from(index).unwrap_or(ENDED - 1)
}

impl WheelState {
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

    /// The key of a connection's timer, if it has one. An old key may be another's by now.
    fn key_of(&self, timer: &TimerKey, conn: ConnId) -> Option<usize> {
        let key = timer.0.load(Relaxed) as usize;
        self.timers.get(key).filter(|timer| timer.conn == conn).map(|_| key)
    }

    /// Sets when one check of a connection is due, whether or not that was set before.
    fn set(&mut self, timer: &TimerKey, conn: ConnId, due: Due) {
        let Some(key) = self.key_of(timer, conn) else {
            let key = self.timers.insert(Timer { tick: due.0, conn, index: 0, check: due.1 });
            timer.0.store(narrow(key), Relaxed);
            return self.link(key, due);
        };
        let first = self.unlink(key);
        let mut all = self.later.remove(&conn).unwrap_or_default();
        all.extend(first);
        all.retain(|(_, check)| *check != due.1);
        all.push(due);
        self.link_earliest(key, conn, all);
    }

    /// Has a timer wait for the earliest of these checks.
    fn link_earliest(&mut self, key: usize, conn: ConnId, mut all: Vec<Due>) {
        let earliest = all.iter().enumerate().min_by_key(|(_, (tick, _))| *tick).map(|(index, _)| index);
        let Some(earliest) = earliest else { return };
        let due = all.swap_remove(earliest);
        if !all.is_empty() {
            self.later.insert(conn, all);
        }
        self.link(key, due);
    }

    fn link(&mut self, key: usize, (tick, check): Due) {
        let slot = &mut self.slots[Self::slot(tick)];
        if let Some(timer) = self.timers.get_mut(key) {
            (timer.tick, timer.check, timer.index) = (tick, check, narrow(slot.len()));
            slot.push(narrow(key));
        }
    }

    /// Takes a timer out of its slot. What it waited for.
    fn unlink(&mut self, key: usize) -> Option<Due> {
        let Timer { tick, index, check, .. } = *self.timers.get(key)?;
        let slot = self.slots.get_mut(Self::slot(tick))?;
        slot.swap_remove(index as usize);
        match slot.get(index as usize) {
            Some(moved) => {
                if let Some(timer) = self.timers.get_mut(*moved as usize) {
                    timer.index = index;
                }
            }
            None if slot.is_empty() => *slot = Vec::new(),
            None => {}
        }
        Some((tick, check))
    }

    /// Takes what is due up to and with this tick.
    fn take_due(&mut self, now: u64) -> Vec<(ConnId, Check)> {
        let mut due = Vec::new();
        // No more than once round.
        let from = self.next.max(now.saturating_sub(SLOTS - 1));
        for tick in from..=now {
            let mut index = 0;
            while let Some(key) = self.slots.get(Self::slot(tick)).and_then(|slot| slot.get(index)).copied() {
                let key = key as usize;
                let Some(timer) = self.timers.get(key).filter(|timer| timer.tick <= now) else {
                    index += 1;
                    continue;
                };
                let conn = timer.conn;
                let mut all = self.later.remove(&conn).unwrap_or_default();
                all.extend(self.unlink(key));
                all.retain(|(tick, check)| {
                    let waits = *tick > now;
                    if !waits {
                        due.push((conn, *check));
                    }
                    waits
                });
                if all.is_empty() {
                    self.timers.remove(key);
                } else {
                    self.link_earliest(key, conn, all);
                }
            }
        }
        self.next = now + 1;
        due
    }

    /// Gives back the room of timers that are gone. The connections that were looked at for that are
    /// to be dropped with nothing locked.
    fn compact(&mut self, hub: &HubInner) -> Vec<Arc<AnyConn>> {
        let mut seen = Vec::new();
        shrink(&mut self.later);
        let Self { slots, timers, .. } = self;
        while timers.is_sparse() {
            let more = timers.compact(|timer, from, to| {
                let Some(conn) = hub.connection(timer.conn) else { return false };
                conn.timer.0.store(narrow(to), Relaxed);
                seen.push(conn);
                let key = slots.get_mut(Self::slot(timer.tick)).and_then(|slot| slot.get_mut(timer.index as usize));
                key.into_iter().for_each(|key| *key = narrow(to));
                debug_assert!(from != to);
                true
            });
            if !more {
                break;
            }
        }
        if timers.len() == 0 {
            (*timers, *slots) = (Slab::default(), Vec::new());
        }
        seen
    }
}

impl Wheel {
    /// Has a connection checked after some time, give or take a tick. The last call for a check
    /// counts. Nothing once the connection has [ended](Self::end).
    pub(crate) fn schedule<D: ?Sized>(&self, hub: &Arc<HubInner>, conn: &ConnInner<D>, after: Duration, check: Check) {
        let mut state = self.state.lock();
        if conn.timer.0.load(Relaxed) == ENDED {
            return;
        }
        if state.slots.is_empty() {
            state.slots.resize_with(usize::try_from(SLOTS).unwrap_or_default(), Vec::new);
        }
        let tick = state.tick_after(after).max(state.next);
        state.set(&conn.timer, conn.id, (tick, check));
        match state.sleeps_until {
            Some(until) if until <= tick => {}
            Some(_) => self.earlier.notify_one(),
            None => {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    state.sleeps_until = Some(tick);
                    state.tasks += 1;
                    runtime.spawn(run(WheelTask { hub: Arc::downgrade(hub), task: state.tasks }));
                }
            }
        }
    }

    /// Forgets all checks of a connection, and takes on no more of it.
    pub(crate) fn end<D: ?Sized>(&self, hub: &HubInner, conn: &ConnInner<D>) {
        let mut state = self.state.lock();
        let key = state.key_of(&conn.timer, conn.id);
        conn.timer.0.store(ENDED, Relaxed);
        let Some(key) = key else { return };
        state.unlink(key);
        state.timers.remove(key);
        state.later.remove(&conn.id);
        let seen = state.compact(hub);
        if state.timers.len() == 0 {
            // The task has nothing to wait for.
            self.earlier.notify_one();
        }
        drop(state);
        drop(seen);
    }
}

/// The wheel's task. If it ends, with its runtime perhaps, the next schedule starts another.
struct WheelTask {
    hub: Weak<HubInner>,
    task: u64,
}

impl Drop for WheelTask {
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

async fn run(task: WheelTask) {
    loop {
        let Some(hub) = task.hub.upgrade() else { return };
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
        let Some(hub) = task.hub.upgrade() else { return };
        let (due, seen) = {
            let mut state = hub.wheel.state.lock();
            let Some(start) = state.start else { return };
            let passed = Instant::now().saturating_duration_since(start).as_nanos() / TICK.as_nanos();
            let due = state.take_due(u64::try_from(passed).unwrap_or(u64::MAX));
            (due, state.compact(&hub))
        };
        drop(seen);
        for (index, (conn, check)) in due.into_iter().enumerate() {
            if let Some(found) = hub.connection(conn)
                && let Some((check, after)) = found.check(check)
            {
                hub.wheel.schedule(&hub, &*found, after, check);
            }
            if index % 256 == 255 {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
