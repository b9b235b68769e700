//! The budget of bytes queued in all outboxes of a hub.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

/// A queue that cannot be written is charged again once it has grown by this many bytes.
const GRAIN: usize = 1024;

/// The bytes queued in all outboxes of a hub.
///
/// Only bytes that stay queued are charged. As long as sockets accept what is written to them, the
/// budget is not touched.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: AtomicUsize,
    limit: usize,
    /// How many queues have overflowed so far.
    overflowed: AtomicU64,
    /// A task is closing the slowest consumers.
    shedding: AtomicBool,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes: AtomicUsize::new(0), limit, overflowed: AtomicU64::new(0), shedding: AtomicBool::new(false) }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    pub(crate) fn overflowed(&self) -> u64 {
        self.overflowed.load(Relaxed)
    }

    /// Whether enough consumers were closed: at most half of the limit is queued.
    pub(crate) fn is_relieved(&self) -> bool {
        self.bytes() <= self.limit / 2
    }

    /// Returns `true` if the caller is to close the slowest consumers: more than three quarters of
    /// the limit is queued, and no other task is at it. The caller then calls
    /// [`end_shedding`](Self::end_shedding).
    pub(crate) fn begin_shedding(&self) -> bool {
        self.needs_shedding(self.bytes()) && !self.shedding.swap(true, Relaxed)
    }

    pub(crate) fn end_shedding(&self) {
        self.shedding.store(false, Relaxed);
    }

    fn needs_shedding(&self, bytes: usize) -> bool {
        bytes > self.limit - self.limit / 4
    }
}

/// The result of charging one queue to the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charge {
    Fine,
    /// The slowest consumers should be closed soon.
    High,
    /// This queue's growth exceeds the hub's limit.
    Exceeded,
}

/// The bytes that one queue has charged to the budget.
#[derive(Debug)]
pub(super) struct BudgetShare {
    total: Arc<Budget>,
    counted: usize,
}

impl BudgetShare {
    pub(super) fn new(total: Arc<Budget>) -> Self {
        Self { total, counted: 0 }
    }

    pub(super) fn is_counted(&self) -> bool {
        self.counted > 0
    }

    /// Charges a queue that has grown, unless by less than [`GRAIN`].
    pub(super) fn grow(&mut self, queued: usize) -> Charge {
        if queued.saturating_sub(self.counted) < GRAIN {
            return Charge::Fine;
        }
        self.set(queued)
    }

    /// Charges exactly this many queued bytes.
    pub(super) fn set(&mut self, queued: usize) -> Charge {
        let before = std::mem::replace(&mut self.counted, queued);
        if queued <= before {
            if queued < before {
                self.total.bytes.fetch_sub(before - queued, Relaxed);
            }
            return Charge::Fine;
        }
        let more = queued - before;
        let bytes = self.total.bytes.fetch_add(more, Relaxed).saturating_add(more);
        if bytes > self.total.limit {
            Charge::Exceeded
        } else if self.total.needs_shedding(bytes) && !self.total.shedding.load(Relaxed) {
            Charge::High
        } else {
            Charge::Fine
        }
    }

    pub(super) fn count_overflow(&self) {
        self.total.overflowed.fetch_add(1, Relaxed);
    }
}

impl Drop for BudgetShare {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_and_go() {
        let total = Arc::new(Budget::new(25_600));
        let (mut one, mut two) = (BudgetShare::new(Arc::clone(&total)), BudgetShare::new(Arc::clone(&total)));
        assert_eq!((one.set(11_200), two.set(6_400)), (Charge::Fine, Charge::Fine));
        assert!(!total.begin_shedding());
        assert_eq!(two.grow(9_600), Charge::High);
        assert!(total.begin_shedding() && !total.begin_shedding() && !total.is_relieved());
        // Another task is shedding already.
        assert_eq!(two.grow(11_200), Charge::Fine);
        assert_eq!(two.grow(16_000), Charge::Exceeded);
        // A shrinking queue never exceeds the budget.
        assert_eq!((one.set(11_184), two.set(12_000)), (Charge::Fine, Charge::Fine));
        drop(one);
        assert_eq!((total.bytes(), total.is_relieved()), (12_000, true));
        total.end_shedding();
        drop(two);
        assert_eq!(total.bytes(), 0);
    }

    #[test]
    fn small_growth_is_charged_later() {
        let total = Arc::new(Budget::new(usize::MAX));
        let mut share = BudgetShare::new(Arc::clone(&total));
        assert_eq!((share.grow(GRAIN - 1), total.bytes()), (Charge::Fine, 0));
        assert_eq!((share.grow(GRAIN), total.bytes()), (Charge::Fine, GRAIN));
        assert_eq!((share.set(GRAIN + 1), total.bytes()), (Charge::Fine, GRAIN + 1));
        assert!(total.is_relieved() && !total.begin_shedding());
    }
}
