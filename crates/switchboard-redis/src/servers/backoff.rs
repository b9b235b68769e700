//! The pause before the next attempt.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// Random pauses up to a limit that doubles with each attempt.
///
/// Full jitter: when a server comes back, the nodes of an application do not all connect at once.
#[derive(Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    limit: Duration,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, limit: min }
    }

    pub(super) fn reset(&mut self) {
        self.limit = self.min;
    }

    /// Returns the next pause, at least half of the minimum.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.limit.mul_f64(random_fraction()).max(self.min / 2);
        self.limit = (self.limit * 2).min(self.max);
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
            let pause = backoff.next();
            assert!((min / 2..=limit).contains(&pause), "{pause:?}");
            limit = (limit * 2).min(max);
        }
        backoff.reset();
        assert!(backoff.next() <= min);
    }
}
