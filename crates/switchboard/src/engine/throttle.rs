//! Backpressure for a client that requests more than it reads.
//!
//! While output of its own requests fills more than half of the queue's limit, none of its messages
//! is started: they wait in the inbox, and once that is full the socket is not read. Publishes of
//! others do not count, so that a slow subscriber can still unsubscribe.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

use crate::outbox::Backlog;

/// Estimates how many of the queued bytes were pushed in the connection's own turns.
///
/// Exists only while queued bytes could not be written. Positions are bytes pushed since the
/// connection began.
#[derive(Debug)]
pub(super) struct Throttle {
    /// The position at the last update.
    seen: u64,
    /// Own bytes are counted separately before and after this position. It advances once everything
    /// before it has been written, so the sum is at most a little too high.
    border: u64,
    before: u64,
    after: u64,
    stall: Option<Stall>,
}

/// The time by which some of the queue must have been written.
#[derive(Debug)]
struct Stall {
    written: u64,
    timer: Pin<Box<Sleep>>,
}

impl Throttle {
    /// Starts counting. `own`: whether the bytes already queued count as the connection's own.
    pub(super) fn new(backlog: Backlog, own: bool) -> Self {
        let before = if own { backlog.queued() } else { 0 };
        Self { seen: backlog.pushed, border: backlog.pushed, before, after: 0, stall: None }
    }

    /// Starts a turn: bytes pushed since the last one are not the connection's own.
    pub(super) fn skip(&mut self, backlog: Backlog) {
        self.seen = backlog.pushed;
        self.advance(backlog);
    }

    /// Counts bytes pushed in this turn as the connection's own; returns how many of its own bytes
    /// are queued.
    pub(super) fn own(&mut self, backlog: Backlog) -> u64 {
        self.after += backlog.pushed.saturating_sub(self.seen);
        self.seen = backlog.pushed;
        self.advance(backlog);
        (self.before + self.after).min(backlog.queued())
    }

    fn advance(&mut self, backlog: Backlog) {
        if backlog.written >= self.border {
            (self.before, self.after, self.border) = (self.after, 0, backlog.pushed);
        }
    }

    /// Ready once nothing was written for `timeout` and `retry`, an attempt to write, writes
    /// nothing either. Polled while the socket is not read.
    pub(super) fn poll_stall(
        &mut self,
        written: u64,
        timeout: Duration,
        retry: impl Fn() -> bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let stall = self.stall.get_or_insert_with(|| Stall { written, timer: Box::pin(sleep(timeout)) });
        while stall.timer.as_mut().poll(cx).is_ready() {
            if stall.written == written && !retry() {
                return Poll::Ready(());
            }
            stall.written = written;
            stall.timer.as_mut().reset(Instant::now() + timeout);
        }
        Poll::Pending
    }

    /// Stops the stall timer: the socket is read again.
    pub(super) fn end_stall(&mut self) {
        self.stall = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pushed: u64, written: u64) -> Backlog {
        Backlog { pushed, written }
    }

    #[test]
    fn bytes_pushed_by_others_do_not_count() {
        let mut throttle = Throttle::new(at(100, 0), true);
        throttle.skip(at(1000, 0));
        assert_eq!(throttle.own(at(1200, 0)), 300);
        // The first 100 bytes are written, but the positions of the other own bytes are unknown.
        throttle.skip(at(1200, 100));
        assert_eq!(throttle.own(at(1200, 1000)), 200);
        // Everything before the border is written.
        throttle.skip(at(5000, 1200));
        assert_eq!(throttle.own(at(5000, 1200)), 0);
        assert_eq!(throttle.own(at(5010, 5000)), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_ends_when_something_is_written() {
        let mut throttle = Throttle::new(at(100, 0), true);
        let second = Duration::from_secs(1);
        let begin = Instant::now();
        let mut written = 0;
        std::future::poll_fn(|cx| {
            if begin.elapsed() < Duration::from_millis(2500) {
                written = u64::try_from(begin.elapsed().as_millis()).unwrap();
            }
            throttle.poll_stall(written, second, || false, cx)
        })
        .await;
        assert!((Duration::from_secs(3)..Duration::from_secs(5)).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    }
}
