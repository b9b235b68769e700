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

/// The resolution: checks are late by at most this.
const TICK: Duration = Duration::from_millis(TICK_MS);
const TICK_MS: u64 = 20;

/// The ticks of one round of the wheel. Later checks stay for further rounds.
const SLOTS: u64 = 2048;

/// A scheduled check of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Sends a ping.
    Ping,
    /// Checks that the ping was answered.
    Pong,
    /// Checks that the connection was identified.
    Identified,
    /// Checks that the identity has not expired.
    Expired,
    /// Runs the `on_reauthorize` hooks.
    Reauthorize,
}

/// A hashed timing wheel. A connection has at most one timer, for the earliest of its checks, which
/// is removed with the connection. The task ends when nothing is scheduled, so an idle hub has
/// none.
#[derive(Debug, Default)]
pub(crate) struct Wheel {
    state: Mutex<WheelState>,
    /// Wakes the task for an earlier check, or because nothing is scheduled any more.
    earlier: Arc<Notify>,
}

/// The key of a connection's timer. Read and written with the wheel locked.
#[derive(Debug)]
pub(crate) struct TimerKey(AtomicU32);

/// The key of a connection that has ended, which gets no further timer.
const ENDED: u32 = u32::MAX;

impl Default for TimerKey {
    fn default() -> Self {
        Self(AtomicU32::new(ENDED - 1))
    }
}

#[derive(Debug, Default)]
struct WheelState {
    /// The keys of `timers`, by the tick at which they are due.
    slots: Vec<Vec<u32>>,
    timers: Slab<Timer>,
    /// The further checks of connections with more than one.
    later: FxHashMap<ConnId, Vec<Due>>,
    /// The time of tick 0.
    start: Option<Instant>,
    /// The next tick to process.
    next: u64,
    /// The tick at which the task wakes up; `None` without a task.
    sleeps_until: Option<u64>,
    /// The number of the latest task.
    tasks: u64,
}

type Due = (u64, Check);

/// The earliest check of one connection.
#[derive(Debug)]
struct Timer {
    tick: u64,
    conn: ConnId,
    /// The index of its key in the slot.
    index: u32,
    check: Check,
}

fn narrow(index: usize) -> u32 {
    // 2^32 connections do not fit into memory.
    u32::try_from(index).unwrap_or(ENDED - 1)
}

impl WheelState {
    /// Returns the first tick at or after a time from now.
    fn tick_after(&mut self, after: Duration) -> u64 {
        let now = Instant::now();
        let passed = now.saturating_duration_since(*self.start.get_or_insert(now));
        let ticks = passed.saturating_add(after).as_nanos().div_ceil(TICK.as_nanos());
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    fn slot(tick: u64) -> usize {
        // Fits, since it is less than `SLOTS`.
        usize::try_from(tick % SLOTS).unwrap_or_default()
    }

    /// Returns the first tick from `next` on with keys in its slot, within one round.
    fn next_due(&self) -> Option<u64> {
        (self.next..self.next + SLOTS)
            .find(|tick| self.slots.get(Self::slot(*tick)).is_some_and(|slot| !slot.is_empty()))
    }

    /// Returns the key of a connection's timer, if it has one. An old key may be in use by another
    /// connection.
    fn key_of(&self, timer: &TimerKey, conn: ConnId) -> Option<usize> {
        let key = timer.0.load(Relaxed) as usize;
        self.timers.get(key).filter(|timer| timer.conn == conn).map(|_| key)
    }

    /// Sets when a check of a connection is due, in place of an earlier setting.
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

    /// Sets a timer to the earliest of these checks.
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

    /// Removes a timer from its slot. Returns the check that it was set to.
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

    /// Takes the checks that are due up to and including this tick.
    fn take_due(&mut self, now: u64) -> Vec<(ConnId, Check)> {
        let mut due = Vec::new();
        // At most one round.
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

    /// Frees the memory of removed timers. Returns the connections looked up for that, which the
    /// caller drops with nothing locked.
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
    /// Schedules a check of a connection, accurate to a tick. A second call for the same check
    /// replaces the first. Does nothing after the connection has [ended](Self::end).
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

    /// Removes all checks of a connection, and refuses new ones.
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
            // Lets the task end.
            self.earlier.notify_one();
        }
        drop(state);
        drop(seen);
    }
}

/// The wheel's task. If it ends, for example with its runtime, the next `schedule` starts another.
struct WheelTask {
    hub: Weak<HubInner>,
    task: u64,
}

impl Drop for WheelTask {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            let mut state = hub.wheel.state.lock();
            // A newer task may have started since this one ran out of checks.
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
            // Checks further ahead than one round are found in a later round.
            let Some(due) = state.next_due() else {
                state.slots = Vec::new();
                state.sleeps_until = None;
                return;
            };
            state.sleeps_until = Some(due);
            state.start.and_then(|start| start.checked_add(Duration::from_millis(due.saturating_mul(TICK_MS))))
        };
        // Does not keep the hub alive while sleeping.
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
