//! Counting in windows of time, without a lock: of one connection.

use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// What may come: so much in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) max: u32,
    /// In nanoseconds.
    pub(super) window: u64,
}

/// It is too much now; after so many nanoseconds it may not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait(pub(super) u64);

/// Never more than the policy's maximum in any window: remembers when each of the last came.
#[derive(Debug)]
pub(super) struct Sliding {
    /// Of the last so many, in a ring; 0 stands for none.
    times: Box<[AtomicU64]>,
    /// Where the next goes, and the oldest stands.
    next: AtomicUsize,
}

impl Sliding {
    pub(super) fn new(policy: Policy) -> Self {
        Self { times: (0..policy.max.max(1)).map(|_| AtomicU64::new(0)).collect(), next: AtomicUsize::new(0) }
    }

    fn at(&self, index: usize) -> Option<&AtomicU64> {
        self.times.get(index % self.times.len())
    }

    /// `cost`: as many as this counts for, at most the maximum. `now` is not 0.
    pub(super) fn take(&self, policy: Policy, now: u64, cost: u32) -> Result<(), Wait> {
        let cost = cost as usize;
        loop {
            let next = self.next.load(Acquire);
            // The youngest of those that have to be out of the window for this to fit in.
            let youngest = next.wrapping_add(cost.saturating_sub(1));
            let before = self.at(youngest).map_or(0, |time| time.load(Acquire));
            if cost > 0 && before > 0 {
                let free = before.saturating_add(policy.window);
                if now < free {
                    return Err(Wait(free - now));
                }
            }
            if self.next.compare_exchange(next, next.wrapping_add(cost), AcqRel, Relaxed).is_ok() {
                for index in next..next.wrapping_add(cost) {
                    if let Some(time) = self.at(index) {
                        time.store(now, Release);
                    }
                }
                return Ok(());
            }
        }
    }
}

/// One window after the other: the first message after the end of one begins the next.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    /// When the window began, in milliseconds and one more, above; how many came in it, below.
    state: AtomicU64,
}

/// How many bits the count has.
const COUNT_BITS: u32 = 24;

/// No count is larger.
pub(super) const MAX_COUNT: u32 = (1 << COUNT_BITS) - 1;

const NANOS_PER_MILLI: u64 = 1_000_000;

impl Fixed {
    pub(super) fn take(&self, policy: Policy, now: u64, cost: u32) -> Result<(), Wait> {
        let (max, cost) = (u64::from(policy.max.min(MAX_COUNT)), u64::from(cost));
        // Rounded up: a window is rather longer than shorter.
        let (now, window) = (now / NANOS_PER_MILLI + 1, policy.window.div_ceil(NANOS_PER_MILLI));
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Times that go on, with what comes at each.
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
                        // Not a nanosecond more than needed.
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
            arrivals in arrivals(),
        ) {
            let ms = NANOS_PER_MILLI;
            let policy = Policy { max, window: 1000 * ms };
            let (fixed, mut now, mut window) = (Fixed::default(), 1, (0, 0));
            for (after, cost) in arrivals {
                now += after * ms;
                let cost = cost.min(max);
                if window.0 == 0 || now >= window.0 + policy.window {
                    window = (now, 0);
                }
                let result = fixed.take(policy, now, cost);
                prop_assert_eq!(result.is_ok(), window.1 + cost <= max);
                match result {
                    Ok(()) => window.1 += cost,
                    Err(Wait(wait)) => prop_assert_eq!(now + wait, window.0 + policy.window),
                }
            }
        }
    }

    #[test]
    fn a_fixed_window_begins_with_a_message_that_fits() {
        let policy = Policy { max: 1, window: 10 * NANOS_PER_MILLI };
        let fixed = Fixed::default();
        assert_eq!(fixed.take(policy, 1, 1), Ok(()));
        assert_eq!(fixed.take(policy, 5 * NANOS_PER_MILLI, 1), Err(Wait(5 * NANOS_PER_MILLI)));
        assert_eq!(fixed.take(policy, 10 * NANOS_PER_MILLI, 1), Ok(()));
    }
}
