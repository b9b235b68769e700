//! The last operations.

use std::collections::VecDeque;

use crate::operation::Operation;

/// How many are kept.
const CAPACITY: usize = 1024;

/// Operations with consecutive revisions, and the revision of the last one.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    operations: VecDeque<Operation>,
    rev: u64,
}

impl Ring {
    /// Gives the operation the next revision and stores it. Drops the oldest if the ring is full.
    pub(crate) fn push(&mut self, mut operation: Operation) {
        self.rev += 1;
        operation.rev = self.rev;
        if self.operations.len() == CAPACITY {
            self.operations.pop_front();
        }
        self.operations.push_back(operation);
    }

    /// Returns the last revision, 0 before the first.
    pub(crate) fn rev(&self) -> u64 {
        self.rev
    }

    /// Returns the oldest revision that is kept, or the next one if there is none.
    pub(crate) fn first_rev(&self) -> u64 {
        self.operations.front().map_or(self.rev + 1, |operation| operation.rev)
    }

    /// Returns all operations after this revision, unless some are not kept any more or it is in
    /// the future.
    pub(crate) fn since(&self, from: u64) -> Option<Vec<Operation>> {
        // Exactly those of (from, rev].
        if from > self.rev || from + 1 < self.first_rev() {
            return None;
        }
        let skipped = usize::try_from(from + 1 - self.first_rev()).ok()?;
        Some(self.operations.iter().skip(skipped).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Changed, Kind};

    #[test]
    fn deltas_reach_back_to_the_oldest_kept_operation() {
        let mut ring = Ring::default();
        assert_eq!((ring.rev(), ring.first_rev()), (0, 1));
        assert!(ring.since(0).is_some_and(|operations| operations.is_empty()));
        for _ in 0..CAPACITY + 26 {
            ring.push(Operation::new(Kind::Updated, Changed::default(), None));
        }
        assert_eq!((ring.rev(), ring.first_rev()), (1050, 27));
        let revs = |from| ring.since(from).map(|all| all.iter().map(|operation| operation.rev).collect::<Vec<_>>());
        assert_eq!(revs(26), Some((27..=1050).collect()));
        assert_eq!(revs(1049), Some(vec![1050]));
        assert_eq!(revs(1050), Some(vec![]));
        for unknown in [0, 25, 1051, u64::MAX] {
            assert_eq!(revs(unknown), None);
        }
    }
}
