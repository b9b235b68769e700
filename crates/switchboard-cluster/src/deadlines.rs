//! Timers that all have the same delay.

use std::{collections::VecDeque, time::Duration};

/// Values with deadlines that never decrease, so a queue is enough.
#[derive(Debug)]
pub(crate) struct Deadlines<T> {
    delay: Duration,
    queue: VecDeque<(Duration, T)>,
}

impl<T> Deadlines<T> {
    pub(crate) fn new(delay: Duration) -> Self {
        Self { delay, queue: VecDeque::new() }
    }

    pub(crate) fn start(&mut self, value: T, now: Duration) {
        self.queue.push_back((now.saturating_add(self.delay), value));
    }

    /// Returns the next value whose deadline has passed.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<T> {
        if self.next()? > now { None } else { self.queue.pop_front().map(|(_, value)| value) }
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.queue.front().map(|(deadline, _)| *deadline)
    }

    /// Drops the values that are not needed any more, when they are more than half: so the queue stays in proportion to
    /// what it is for, however many timers were started and ended early.
    pub(crate) fn shrink(&mut self, needed: usize, mut is_needed: impl FnMut(&T) -> bool) {
        if self.queue.len() > 2 * needed + 32 {
            self.queue.retain(|(_, value)| is_needed(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_returned_once_their_deadline_has_passed() {
        let ms = Duration::from_millis;
        let mut deadlines = Deadlines::new(ms(10));
        deadlines.start('a', ms(0));
        deadlines.start('b', ms(5));
        assert_eq!((deadlines.next(), deadlines.pop(ms(9))), (Some(ms(10)), None));
        assert_eq!((deadlines.pop(ms(10)), deadlines.pop(ms(10)), deadlines.next()), (Some('a'), None, Some(ms(15))));
        assert_eq!((deadlines.pop(ms(99)), deadlines.next()), (Some('b'), None));
    }

    #[test]
    fn timers_that_ended_early_do_not_pile_up() {
        let mut deadlines = Deadlines::new(Duration::from_secs(1));
        for n in 0..10_000 {
            deadlines.start(n, Duration::ZERO);
            deadlines.shrink(1, |value| *value == n);
        }
        assert!(deadlines.queue.len() <= 36);
    }
}
