//! The pause before the next attempt.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// Random pauses up to a limit that doubles with each attempt.
///
/// Full jitter: when a server comes back, the nodes of an application do not all connect at once.
#[derive(Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    limit: Duration,
}

impl Backoff {
    /// Starts with pauses up to `min`, which grow up to `max`.
    #[must_use]
    pub fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, limit: min.min(max) }
    }

    /// Starts again with pauses up to `min`: after an attempt that succeeded.
    pub fn reset(&mut self) {
        self.limit = self.min.min(self.max);
    }

    /// Returns the next pause, at least half of `min`.
    #[must_use]
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.limit.mul_f64(random_fraction()).max(self.min.min(self.max) / 2);
        self.limit = self.limit.saturating_mul(2).min(self.max);
        pause
    }
}

/// Returns a number in `0.0..1.0`. The standard library seeds its hash tables at random, which is enough here.
fn random_fraction() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_limit() {
        let (min, max) = (Duration::from_millis(50), Duration::from_secs(3));
        let mut backoff = Backoff::new(min, max);
        let mut limit = min;
        for _ in 0..20 {
            let pause = backoff.next_pause();
            assert!((min / 2..=limit).contains(&pause), "{pause:?}");
            limit = (limit * 2).min(max);
        }
        backoff.reset();
        assert!(backoff.next_pause() <= min);
    }

    #[test]
    fn limits_in_the_wrong_order_or_without_end_are_no_panic() {
        assert!(Backoff::new(Duration::from_secs(2), Duration::from_secs(1)).next_pause() <= Duration::from_secs(1));
        let mut endless = Backoff::new(Duration::from_secs(1), Duration::MAX);
        (0..200).for_each(|_| assert!(endless.next_pause() <= Duration::MAX));
    }
}
