//! How much of its thread's time one turn of a connection may take.
//!
//! A turn that has taken its time writes what it has and lets other tasks run. Reading the clock
//! costs about a hundredth of handling a short message, so it is read for every few messages, and
//! for each one only where messages have taken long lately. Turns of one short message are measured
//! one in sixteen.
//!
//! A worker of tokio's that woke up from waiting for sockets and has one task to run wakes no other
//! worker: until that task is done, nothing looks at sockets. With two workers, a client beside one
//! whose messages take 2 ms each waited 2.3 ms for each answer, although the other worker slept. So a
//! turn after one that took too long begins with waking another worker.

use std::{
    cell::Cell,
    future::Future as _,
    pin::pin,
    task::Context,
    time::{Duration, Instant},
};

use tokio::runtime::{Handle, RuntimeFlavor};

/// After this time nothing new is begun in a turn.
const TURN: Duration = Duration::from_micros(500);

/// How many messages are handled between two looks at the clock.
const STRIDE: u32 = 4;

/// A message of this size counts as two, and its time is measured from its beginning.
const LONG: usize = 16 * 1024;

/// One in this many turns is measured from its beginning to its end.
const SAMPLED: u32 = 16;

#[derive(Clone, Copy)]
struct Spent {
    /// `None` before the first look.
    since: Option<Instant>,
    all: bool,
    /// Whether the end of the turn is looked at, too.
    measured: bool,
}

thread_local! {
    static TURN_OF_THREAD: Cell<Spent> = const { Cell::new(Spent { since: None, all: false, measured: false }) };
    static TURNS: Cell<u32> = const { Cell::new(0) };
}

/// A turn begins. Its time counts from now on if it is `wary` or a sample, else from the first
/// [`look`].
pub(super) fn begin(wary: bool) {
    let turns = TURNS.get().wrapping_add(1);
    TURNS.set(turns);
    let measured = wary || turns.is_multiple_of(SAMPLED);
    TURN_OF_THREAD.set(Spent { since: measured.then(Instant::now), all: false, measured });
}

/// Wakes another worker, which then waits for sockets and timers in the place of this one.
fn wake_worker() {
    let Ok(runtime) = Handle::try_current() else { return };
    if runtime.runtime_flavor() == RuntimeFlavor::MultiThread {
        // Of two new tasks the first goes into the queue that other workers take from, and one of those
        // is woken for it. A single one would be kept for this worker.
        for _ in 0..2 {
            drop(runtime.spawn(std::future::ready(())));
        }
    }
}

/// Reads the clock: whether the turn has taken its time.
pub(super) fn look() -> bool {
    let mut spent = TURN_OF_THREAD.get();
    match spent.since {
        None => spent.since = Some(Instant::now()),
        Some(since) => spent.all = spent.all || since.elapsed() >= TURN,
    }
    TURN_OF_THREAD.set(spent);
    spent.all
}

/// Whether the last look found that the turn has taken its time.
#[inline]
pub(super) fn is_spent() -> bool {
    TURN_OF_THREAD.get().all
}

/// Has the task polled again after all others that are ready, and after a look at sockets and
/// timers. A task that only wakes itself is ready again before these: tokio looks at them once in
/// many such turns.
pub(super) fn yield_turn(cx: &mut Context<'_>) {
    _ = pin!(tokio::task::yield_now()).poll(cx);
}

/// When to look at the clock while messages are handled one after the other.
pub(super) struct Pace {
    handled: u32,
    look_at: u32,
    stride: u32,
}

impl Pace {
    pub(super) fn new(wary: bool) -> Self {
        let (look_at, stride) = if wary { (1, 1) } else { (2, STRIDE) };
        Self { handled: 0, look_at, stride }
    }

    /// Before a message of this many bytes is handled. A short one that is the only one of its turn needs
    /// no clock.
    #[inline]
    pub(super) fn before(&mut self, bytes: usize) {
        if (self.handled == 1 || bytes >= LONG) && self.stride > 1 {
            look();
        }
    }

    /// After a message of so many bytes was handled.
    #[inline]
    pub(super) fn after(&mut self, bytes: usize) {
        self.handled += 1 + u32::try_from(bytes / LONG).unwrap_or(u32::MAX / 2);
        if self.handled >= self.look_at {
            self.look_at = self.handled + self.stride;
            look();
        }
    }
}

/// Whether the clock is read for each message: for a while after a turn has taken too long.
#[derive(Debug, Default)]
pub(super) struct Wariness(u8);

impl Wariness {
    pub(super) fn is_wary(&self) -> bool {
        self.0 > 0
    }

    /// A turn begins.
    #[inline]
    pub(super) fn begin_turn(&self) {
        begin(self.is_wary());
        if self.0 == u8::MAX {
            wake_worker();
        }
    }

    /// A turn has ended.
    pub(super) fn note(&mut self) {
        if TURN_OF_THREAD.get().measured {
            look();
        }
        self.0 = if is_spent() { u8::MAX } else { self.0.saturating_sub(1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() {
        let begin = Instant::now();
        while begin.elapsed() < TURN {}
    }

    #[test]
    fn a_turn_is_spent_after_its_time() {
        begin(true);
        assert!(!is_spent());
        work();
        assert!(!is_spent());
        assert!(look() && is_spent());
        begin(false);
        assert!(!is_spent());
        work();
        // That was before the first look.
        assert!(!look());
        work();
        assert!(look());
    }

    #[test]
    fn the_clock_is_read_for_every_fourth_message() {
        begin(false);
        let mut pace = Pace::new(false);
        let mut looked = Vec::new();
        for n in 1..=12 {
            let before = TURN_OF_THREAD.get().since;
            pace.before(100);
            assert_eq!(TURN_OF_THREAD.get().since.is_some(), n > 1 || before.is_some());
            let at = pace.look_at;
            pace.after(100);
            if pace.look_at != at {
                looked.push(n);
            }
        }
        assert_eq!(looked, [2, 6, 10]);
        let mut wary = Pace::new(true);
        wary.after(100);
        assert_eq!(wary.look_at, 2);
    }

    #[test]
    fn a_single_message_is_measured_if_it_is_long_or_in_a_sample() {
        let one = |bytes: usize| {
            let mut wariness = Wariness::default();
            wariness.begin_turn();
            let mut pace = Pace::new(false);
            pace.before(bytes);
            work();
            pace.after(bytes);
            wariness.note();
            wariness.is_wary()
        };
        assert!(one(LONG));
        let noticed = (0..SAMPLED).filter(|_| one(LONG - 1)).count();
        assert_eq!(noticed, 1);
    }

    #[test]
    fn wariness_lasts_for_a_while() {
        let mut wariness = Wariness::default();
        begin(true);
        wariness.note();
        assert!(!wariness.is_wary());
        work();
        look();
        wariness.note();
        begin(false);
        for _ in 0..u8::MAX {
            assert!(wariness.is_wary());
            wariness.note();
        }
        assert!(!wariness.is_wary());
    }
}
