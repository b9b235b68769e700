//! Which servers do not answer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicIsize, Ordering::SeqCst},
};

use redis::Value;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use crate::link::{NoAnswer, Outcome};

/// Counts, for each partition, the commands that were given up and have no answer yet.
///
/// While there is one, the server hangs, and asking it again would make the next handler wait, too. The outcome of such a
/// command comes in any case: late, or when the link is given up.
#[derive(Debug)]
pub(super) struct Overdue(Box<[AtomicIsize]>);

/// A command whose answer is waited for.
pub(super) struct Awaited {
    overdue: Arc<Overdue>,
    partition: usize,
    is_given_up: Arc<AtomicBool>,
    outcome: oneshot::Receiver<Outcome>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Silence {
    NoAnswer(NoAnswer),
    TooLate,
}

impl Overdue {
    pub(super) fn new(partitions: usize) -> Arc<Self> {
        Arc::new(Self((0..partitions).map(|_| AtomicIsize::new(0)).collect()))
    }

    /// Whether the server of a partition has not answered in time.
    pub(super) fn is_silent(&self, partition: usize) -> bool {
        self.0.get(partition).is_some_and(|count| count.load(SeqCst) > 0)
    }

    fn add(&self, partition: usize, change: isize) {
        if let Some(count) = self.0.get(partition) {
            count.fetch_add(change, SeqCst);
        }
    }

    /// Returns what takes the outcome of a command, and what waits for it.
    pub(super) fn command(self: &Arc<Self>, partition: usize) -> (impl FnOnce(Outcome) + Send + 'static, Awaited) {
        let (answer, outcome) = oneshot::channel();
        let is_given_up = Arc::new(AtomicBool::new(false));
        let (overdue, given_up) = (Arc::clone(self), Arc::clone(&is_given_up));
        let on_outcome = move |outcome| {
            // What was dropped without being given up is not counted.
            if answer.send(outcome).is_err() && given_up.load(SeqCst) {
                overdue.add(partition, -1);
            }
        };
        (on_outcome, Awaited { overdue: Arc::clone(self), partition, is_given_up, outcome })
    }
}

impl Awaited {
    /// Waits for the answer, and gives the command up at the deadline.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the command is not waited for any more.
    pub(super) async fn answer(mut self, deadline: Instant) -> Result<Value, Silence> {
        let lost = Silence::NoAnswer(NoAnswer::Lost);
        let outcome = match timeout_at(deadline, &mut self.outcome).await {
            Ok(outcome) => outcome.map_err(|_| lost)?,
            Err(_) => {
                // In this order: whoever finds the channel closed finds the command counted.
                self.overdue.add(self.partition, 1);
                self.is_given_up.store(true, SeqCst);
                self.outcome.close();
                match self.outcome.try_recv() {
                    Ok(outcome) => {
                        self.overdue.add(self.partition, -1);
                        outcome
                    }
                    Err(_) => return Err(Silence::TooLate),
                }
            }
        };
        outcome.map_err(Silence::NoAnswer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_partition_is_silent_from_the_deadline_to_the_answer() {
        let overdue = Overdue::new(2);
        let (on_outcome, awaited) = overdue.command(1);
        assert!(!overdue.is_silent(1));
        assert!(matches!(awaited.answer(Instant::now()).await, Err(Silence::TooLate)));
        assert!(overdue.is_silent(1) && !overdue.is_silent(0));
        on_outcome(Err(NoAnswer::Lost));
        assert!(!overdue.is_silent(1));
    }

    #[tokio::test]
    async fn an_answer_in_time_and_a_caller_that_has_gone_make_nothing_silent() {
        let overdue = Overdue::new(1);
        let (on_outcome, awaited) = overdue.command(0);
        on_outcome(Ok(Value::Int(0)));
        assert_eq!(awaited.answer(Instant::now()).await.unwrap(), Value::Int(0), "it was there");
        let (on_outcome, awaited) = overdue.command(0);
        drop(awaited);
        on_outcome(Ok(Value::Okay));
        let (on_outcome, awaited) = overdue.command(0);
        drop(on_outcome);
        assert!(matches!(awaited.answer(Instant::now()).await, Err(Silence::NoAnswer(NoAnswer::Lost))));
        assert!(!overdue.is_silent(0));
    }
}
