//! So that clients cannot fill the log.

use std::{sync::OnceLock, time::Instant};

use parking_lot::Mutex;

/// So many errors a second at most are logged.
const PER_SECOND: u32 = 20;

/// Counts in whole seconds.
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

    /// Whether an error may be logged now, with how many were not since the last.
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
