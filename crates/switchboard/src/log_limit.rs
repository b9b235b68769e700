//! Rate-limits log lines that clients can cause.

use std::{sync::OnceLock, time::Instant};

use parking_lot::Mutex;

/// Lines logged per second; the rest are counted.
const PER_SECOND: u32 = 20;

/// Limits log lines per second of the clock, not per sliding window.
#[derive(Debug, Default)]
pub(crate) struct LogLimit(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    number: u64,
    logged: u32,
    suppressed: u64,
}

impl LogLimit {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Second { number: 0, logged: 0, suppressed: 0 }))
    }

    /// Returns the number of lines suppressed since the last one, or `None` if this one is to be
    /// suppressed as well.
    pub(crate) fn may_log(&self) -> Option<u64> {
        static START: OnceLock<Instant> = OnceLock::new();
        self.may_log_at(START.get_or_init(Instant::now).elapsed().as_secs())
    }

    fn may_log_at(&self, number: u64) -> Option<u64> {
        let mut second = self.0.lock();
        if second.number != number {
            (second.number, second.logged) = (number, 0);
        }
        if second.logged >= PER_SECOND {
            second.suppressed += 1;
            return None;
        }
        second.logged += 1;
        Some(std::mem::take(&mut second.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_a_second_and_a_count_of_the_rest() {
        let limit = LogLimit::default();
        let logged = (0..100).filter(|_| limit.may_log_at(7) == Some(0)).count();
        assert_eq!(logged, 20);
        assert_eq!(limit.may_log_at(8), Some(80));
        assert_eq!(limit.may_log_at(8), Some(0));
    }
}
