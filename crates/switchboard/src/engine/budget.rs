//! The time budget of one turn of a connection's task.
//!
//! A turn that has used up its budget writes its output and lets other tasks run. Reading the clock
//! costs about 1 % of handling a short message, so it is read for every fourth message, and for
//! each one only after a turn that took too long. One in sixteen turns is measured as a whole, so
//! that single messages that take long are noticed, too.
//!
//! A tokio worker that wakes from waiting for sockets with a single task to run wakes no other
//! worker: until that task is done, no worker looks at sockets. With two workers, a client beside
//! one whose messages take 2 ms each waited 2.3 ms for each answer while the other worker slept. So
//! the turn after one that took too long first wakes another worker.

use std::{
    cell::Cell,
    future::Future as _,
    pin::pin,
    task::Context,
    time::{Duration, Instant},
};

use tokio::runtime::{Handle, RuntimeFlavor};

/// The budget of one turn: after this time it starts nothing new.
const TURN: Duration = Duration::from_micros(500);

/// How many messages are handled between two reads of the clock.
const STRIDE: u32 = 4;

/// A message of this size counts as two, one of twice the size as three, and its time is measured
/// from its beginning.
const LONG: usize = 16 * 1024;

/// For how many turns after one that spent its budget another worker is woken. More than one, because
/// a large message arrives in several turns, of which only the last is long.
const WAKING: u8 = 16;

/// One in this many turns is measured as a whole.
const SAMPLED: u32 = 16;

#[derive(Clone, Copy)]
struct Spent {
    /// `None` before the clock was first read.
    since: Option<Instant>,
    all: bool,
    /// Whether the clock is read at the end of the turn, too.
    measured: bool,
}

thread_local! {
    static TURN_OF_THREAD: Cell<Spent> = const { Cell::new(Spent { since: None, all: false, measured: false }) };
    static TURNS: Cell<u32> = const { Cell::new(0) };
}

/// Starts a turn. Its time counts from now on if it is `wary` or a sample, else from the first
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

/// Reads the clock; returns whether the budget is spent.
pub(super) fn look() -> bool {
    let mut spent = TURN_OF_THREAD.get();
    match spent.since {
        None => spent.since = Some(Instant::now()),
        Some(since) => spent.all = spent.all || since.elapsed() >= TURN,
    }
    TURN_OF_THREAD.set(spent);
    spent.all
}

/// Whether the budget was spent when the clock was last read.
#[inline]
pub(super) fn is_spent() -> bool {
    TURN_OF_THREAD.get().all
}

/// Schedules the task again behind all other ready tasks and a poll of sockets and timers.
///
/// A task that merely wakes itself would run again before these: tokio polls them only once in
/// many such turns.
pub(super) fn yield_turn(cx: &mut Context<'_>) {
    _ = pin!(tokio::task::yield_now()).poll(cx);
}

/// Decides when to read the clock while messages are handled one after the other.
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

    /// Called before a message of this many bytes is handled. A turn with a single short message
    /// does not read the clock.
    #[inline]
    pub(super) fn before(&mut self, bytes: usize) {
        if (self.handled == 1 || bytes >= LONG) && self.stride > 1 {
            look();
        }
    }

    /// Called after a message of this size was handled.
    #[inline]
    pub(super) fn after(&mut self, bytes: usize) {
        self.handled += 1 + u32::try_from(bytes / LONG).unwrap_or(u32::MAX / 2);
        if self.handled >= self.look_at {
            self.look_at = self.handled + self.stride;
            look();
        }
    }
}

/// Whether the clock is read for each message: for the next 255 turns after one that spent its
/// budget.
#[derive(Debug, Default)]
pub(super) struct Wariness(u8);

impl Wariness {
    pub(super) fn is_wary(&self) -> bool {
        self.0 > 0
    }

    /// Called at the beginning of a turn.
    #[inline]
    pub(super) fn begin_turn(&self) {
        begin(self.is_wary());
        if self.0 > u8::MAX - WAKING {
            wake_worker();
        }
    }

    /// Called at the end of a turn.
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
        // The time before the first look does not count.
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
