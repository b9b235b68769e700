//! How much waits in all queues together.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

/// A queue that stands is counted anew once it has grown by so much.
const GRAIN: usize = 1024;

/// What waits in all queues of a hub. Only what stays queued is counted: as long as sockets take
/// what is written to them, nothing here is touched.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: AtomicUsize,
    limit: usize,
    /// How many queues have overflowed so far.
    overflowed: AtomicU64,
    /// Somebody is closing the slowest.
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

    /// Down to where the slowest are closed.
    pub(crate) fn is_relieved(&self) -> bool {
        self.bytes() <= self.limit / 2
    }

    /// Whether it is time to close the slowest, and nobody does yet: the caller does then, until it
    /// calls [`end_shedding`](Self::end_shedding).
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

/// What counting one queue shows of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charge {
    Fine,
    /// The slowest should be closed soon.
    High,
    /// This queue has grown beyond what may wait in all.
    Exceeded,
}

/// One queue's part.
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

    /// A queue that stands has grown. What is too little to matter waits until it is more.
    pub(super) fn grow(&mut self, waits: usize) -> Charge {
        if waits.saturating_sub(self.counted) < GRAIN {
            return Charge::Fine;
        }
        self.set(waits)
    }

    /// So much waits.
    pub(super) fn set(&mut self, waits: usize) -> Charge {
        let before = std::mem::replace(&mut self.counted, waits);
        if waits <= before {
            if waits < before {
                self.total.bytes.fetch_sub(before - waits, Relaxed);
            }
            return Charge::Fine;
        }
        let more = waits - before;
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
        // Somebody is at it.
        assert_eq!(two.grow(11_200), Charge::Fine);
        assert_eq!(two.grow(16_000), Charge::Exceeded);
        // What gets less is never too much.
        assert_eq!((one.set(11_184), two.set(12_000)), (Charge::Fine, Charge::Fine));
        drop(one);
        assert_eq!((total.bytes(), total.is_relieved()), (12_000, true));
        total.end_shedding();
        drop(two);
        assert_eq!(total.bytes(), 0);
    }

    #[test]
    fn a_little_more_is_counted_later() {
        let total = Arc::new(Budget::new(usize::MAX));
        let mut share = BudgetShare::new(Arc::clone(&total));
        assert_eq!((share.grow(GRAIN - 1), total.bytes()), (Charge::Fine, 0));
        assert_eq!((share.grow(GRAIN), total.bytes()), (Charge::Fine, GRAIN));
        assert_eq!((share.set(GRAIN + 1), total.bytes()), (Charge::Fine, GRAIN + 1));
        assert!(total.is_relieved() && !total.begin_shedding());
    }
}
