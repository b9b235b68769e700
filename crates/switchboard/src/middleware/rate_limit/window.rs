//! Lock-free windows for one connection.

use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// A limit: at most `max` messages per window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) max: u32,
    /// In nanoseconds.
    pub(super) window: u64,
}

/// The limit is reached; the nanoseconds until the message fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait(pub(super) u64);

/// A sliding window: stores the time of each of the last `max` messages.
#[derive(Debug)]
pub(super) struct Sliding {
    /// A ring of the last `max` times.
    times: Box<[AtomicU64]>,
    /// The index of the oldest time, which the next message overwrites.
    next: AtomicUsize,
    /// Messages up to this time are not counted.
    reset_at: AtomicU64,
}

/// The time of a message, and whether it was written in an odd lap around the ring. A thread that finds the lap before
/// the expected one knows that another thread has taken the slot and not written its time yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    time: u64,
    lap_is_odd: bool,
}

impl Mark {
    fn of(bits: u64) -> Self {
        Self { time: bits >> 1, lap_is_odd: bits & 1 == 1 }
    }

    fn bits(self) -> u64 {
        self.time << 1 | u64::from(self.lap_is_odd)
    }
}

impl Sliding {
    pub(super) fn new(policy: Policy) -> Self {
        // As if written in the lap before the first, at time 0.
        let never = Mark { time: 0, lap_is_odd: true };
        let times = (0..policy.max.max(1)).map(|_| AtomicU64::new(never.bits())).collect();
        Self { times, next: AtomicUsize::new(0), reset_at: AtomicU64::new(0) }
    }

    /// The slot of an index, and whether its lap is odd.
    fn at(&self, index: usize) -> (Option<&AtomicU64>, bool) {
        (self.times.get(index % self.times.len()), index / self.times.len() % 2 == 1)
    }

    /// How long until the slot of this index leaves the window.
    fn wait(&self, policy: Policy, now: u64, index: usize) -> u64 {
        let (Some(place), lap_is_odd) = self.at(index) else { return 0 };
        let before = Mark::of(place.load(Acquire));
        if before.lap_is_odd == lap_is_odd {
            // Another thread is writing it.
            return policy.window.max(1);
        }
        if before.time <= self.reset_at.load(Acquire) {
            return 0;
        }
        before.time.saturating_add(policy.window).saturating_sub(now)
    }

    /// Counts `cost` messages, at most the maximum. `now` is not 0.
    pub(super) fn take(&self, policy: Policy, now: u64, cost: u32) -> Result<(), Wait> {
        let cost = cost as usize;
        loop {
            let next = self.next.load(Acquire);
            let places = next..next.wrapping_add(cost);
            // Fits if all of these slots have left the window.
            match places.clone().map(|index| self.wait(policy, now, index)).max() {
                None | Some(0) => {}
                Some(_) if self.next.load(Acquire) != next => continue,
                Some(wait) => return Err(Wait(wait)),
            }
            if self.next.compare_exchange(next, places.end, AcqRel, Relaxed).is_ok() {
                for index in places {
                    if let (Some(place), lap_is_odd) = self.at(index) {
                        place.store(Mark { time: now, lap_is_odd }.bits(), Release);
                    }
                }
                return Ok(());
            }
        }
    }

    /// Clears the counts.
    pub(super) fn reset(&self, now: u64) {
        self.reset_at.fetch_max(now, AcqRel);
    }
}

/// Fixed windows: the first message after the end of one starts the next.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    /// The start of the window in milliseconds, plus 1, in the high bits; the count in the low bits.
    state: AtomicU64,
}

/// The number of bits of the count.
const COUNT_BITS: u32 = 24;

/// The largest count.
pub(super) const MAX_COUNT: u32 = (1 << COUNT_BITS) - 1;

const NANOS_PER_MILLI: u64 = 1_000_000;

impl Fixed {
    pub(super) fn take(&self, policy: Policy, now: u64, cost: u32) -> Result<(), Wait> {
        let (max, cost) = (u64::from(policy.max.min(MAX_COUNT)), u64::from(cost));
        // Rounded up, because the window may have started at the end of its millisecond.
        let (now, window) = (now / NANOS_PER_MILLI + 1, policy.window.div_ceil(NANOS_PER_MILLI).saturating_add(1));
        let mut state = self.state.load(Acquire);
        loop {
            let (began, count) = (state >> COUNT_BITS, state & u64::from(MAX_COUNT));
            let end = began.saturating_add(window);
            let (began, count) = if began == 0 || now >= end { (now, 0) } else { (began, count) };
            if count + cost > max {
                return Err(Wait((began.saturating_add(window) - now).saturating_mul(NANOS_PER_MILLI)));
            }
            match self.state.compare_exchange_weak(state, began << COUNT_BITS | (count + cost), AcqRel, Acquire) {
                Ok(_) => return Ok(()),
                Err(other) => state = other,
            }
        }
    }

    /// Clears the counts.
    pub(super) fn reset(&self) {
        self.state.store(0, Release);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Intervals between messages, with the cost of each message.
    fn arrivals() -> impl Strategy<Value = Vec<(u64, u32)>> {
        prop::collection::vec((0u64..400, 1u32..4), 1..200)
    }

    proptest! {
        #[test]
        fn a_sliding_window_never_holds_more_and_refuses_nothing_that_fits(
            max in 1u32..12,
            arrivals in arrivals(),
        ) {
            let policy = Policy { max, window: 1000 };
            let (sliding, mut now, mut taken) = (Sliding::new(policy), 1, Vec::<u64>::new());
            for (after, cost) in arrivals {
                now += after;
                let cost = cost.min(max);
                let within = taken.iter().filter(|time| **time + policy.window > now).count();
                let fits = within + cost as usize <= max as usize;
                let result = sliding.take(policy, now, cost);
                prop_assert_eq!(result.is_ok(), fits);
                match result {
                    Ok(()) => taken.extend(std::iter::repeat_n(now, cost as usize)),
                    Err(Wait(wait)) => {
                        // The shortest wait after which the message fits.
                        let within = |now: u64| taken.iter().filter(|time| **time + policy.window > now).count();
                        prop_assert!(within(now + wait) + cost as usize <= max as usize);
                        prop_assert!(within(now + wait - 1) + cost as usize > max as usize);
                    }
                }
            }
        }

        #[test]
        fn a_fixed_window_never_holds_more_and_refuses_nothing_that_fits(
            max in 1u32..12,
            arrivals in prop::collection::vec((0u64..4 * NANOS_PER_MILLI, 1u32..4), 1..200),
        ) {
            let policy = Policy { max, window: 10 * NANOS_PER_MILLI };
            let longest = policy.window + 2 * NANOS_PER_MILLI;
            let (fixed, mut now, mut begins, mut count) = (Fixed::default(), 1, None, 0);
            for (after, cost) in arrivals {
                now += after;
                let cost = cost.min(max);
                let began = fixed.state.load(Acquire) >> COUNT_BITS;
                match (fixed.take(policy, now, cost), begins) {
                    (Ok(()), Some(_)) if fixed.state.load(Acquire) >> COUNT_BITS == began => {
                        count += cost;
                        prop_assert!(count <= max);
                    }
                    // A window that ended early would allow more messages.
                    (Ok(()), before) => {
                        prop_assert!(before.is_none_or(|before| now >= before + policy.window));
                        (begins, count) = (Some(now), cost);
                    }
                    (Err(Wait(wait)), Some(before)) => {
                        prop_assert!(count + cost > max && now < before + longest);
                        prop_assert!(now + wait >= before + policy.window && now + wait <= before + longest);
                        let later = Fixed { state: AtomicU64::new(fixed.state.load(Acquire)) };
                        prop_assert_eq!(later.take(policy, now + wait, cost), Ok(()));
                    }
                    (Err(_), None) => prop_assert!(false, "the first was refused"),
                }
            }
        }
    }

    #[test]
    fn messages_counted_before_a_reset_do_not_count() {
        let policy = Policy { max: 2, window: 1000 * NANOS_PER_MILLI };
        let (sliding, fixed) = (Sliding::new(policy), Fixed::default());
        for round in 1..5 {
            assert_eq!((sliding.take(policy, round, 2), fixed.take(policy, round, 2)), (Ok(()), Ok(())));
            assert!(sliding.take(policy, round, 1).is_err() && fixed.take(policy, round, 1).is_err());
            sliding.reset(round);
            fixed.reset();
        }
    }

    #[test]
    fn threads_together_never_take_more() {
        for (max, cost) in [(1, 1), (2, 1), (7, 3)] {
            let policy = Policy { max, window: u64::MAX };
            for _ in 0..200 {
                let (sliding, fixed) = (Sliding::new(policy), Fixed::default());
                let taken = std::thread::scope(|scope| {
                    let threads: [_; 3] = std::array::from_fn(|_| {
                        scope.spawn(|| {
                            let count =
                                |take: &dyn Fn() -> Result<(), Wait>| (0..max).filter(|_| take().is_ok()).count();
                            (count(&|| sliding.take(policy, 1, cost)), count(&|| fixed.take(policy, 1, cost)))
                        })
                    });
                    threads.map(|thread| thread.join().expect("no panic"))
                });
                let sum = taken.into_iter().fold((0, 0), |(a, b), (x, y)| (a + x, b + y));
                assert_eq!(sum, ((max / cost) as usize, (max / cost) as usize));
            }
        }
    }

    #[test]
    fn a_fixed_window_begins_with_a_message_that_fits() {
        let policy = Policy { max: 1, window: 10 * NANOS_PER_MILLI };
        let fixed = Fixed::default();
        // Starts at the end of a millisecond, so at 10 ms the window of 10 ms has not ended.
        assert_eq!(fixed.take(policy, NANOS_PER_MILLI - 1, 1), Ok(()));
        assert_eq!(fixed.take(policy, 5 * NANOS_PER_MILLI, 1), Err(Wait(6 * NANOS_PER_MILLI)));
        assert_eq!(fixed.take(policy, 10 * NANOS_PER_MILLI, 1), Err(Wait(NANOS_PER_MILLI)));
        assert_eq!(fixed.take(policy, 11 * NANOS_PER_MILLI, 1), Ok(()));
    }
}
