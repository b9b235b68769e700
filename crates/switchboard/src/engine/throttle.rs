//! A client that asks for more than it reads.
//!
//! While more than half of its queue's limit waits because of its own requests, nothing new is begun
//! for it: messages wait in the inbox, and once that is full the socket is not read. What others
//! publish to it is not held against it: a slow subscriber can still unsubscribe.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

use crate::outbox::Backlog;

/// How much of what waits was put out in the connection's own turns. Exists only while something
/// waits that could not be written. Positions are those of the queue: bytes since its beginning.
#[derive(Debug)]
pub(super) struct Throttle {
    /// How much had been pushed at the last look.
    seen: u64,
    /// What was pushed in own turns before and after this position. It moves on once everything before
    /// it has left, so the sum is what waits or a little more.
    border: u64,
    before: u64,
    after: u64,
    stall: Option<Stall>,
}

/// Until when some of what waits must have left.
#[derive(Debug)]
struct Stall {
    written: u64,
    timer: Pin<Box<Sleep>>,
}

impl Throttle {
    /// `own`: whether all that waits counts as put out in own turns.
    pub(super) fn new(backlog: Backlog, own: bool) -> Self {
        let before = if own { backlog.waits() } else { 0 };
        Self { seen: backlog.pushed, border: backlog.pushed, before, after: 0, stall: None }
    }

    /// A turn begins: what was pushed since the last one is not the connection's own.
    pub(super) fn skip(&mut self, backlog: Backlog) {
        self.seen = backlog.pushed;
        self.move_on(backlog);
    }

    /// Within a turn: how much waits that is the connection's own.
    pub(super) fn own(&mut self, backlog: Backlog) -> u64 {
        self.after += backlog.pushed.saturating_sub(self.seen);
        self.seen = backlog.pushed;
        self.move_on(backlog);
        (self.before + self.after).min(backlog.waits())
    }

    fn move_on(&mut self, backlog: Backlog) {
        if backlog.written >= self.border {
            (self.before, self.after, self.border) = (self.after, 0, backlog.pushed);
        }
    }

    /// While the socket is not read and takes nothing: ready once nothing at all has left for so long,
    /// and `poke` finds no room either.
    pub(super) fn poll_stall(
        &mut self,
        written: u64,
        patience: Duration,
        poke: impl Fn() -> bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let stall = self.stall.get_or_insert_with(|| Stall { written, timer: Box::pin(sleep(patience)) });
        while stall.timer.as_mut().poll(cx).is_ready() {
            if stall.written == written && !poke() {
                return Poll::Ready(());
            }
            stall.written = written;
            stall.timer.as_mut().reset(Instant::now() + patience);
        }
        Poll::Pending
    }

    /// The socket is read again.
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
    fn what_others_push_is_not_its_own() {
        let mut throttle = Throttle::new(at(100, 0), true);
        throttle.skip(at(1000, 0));
        assert_eq!(throttle.own(at(1200, 0)), 300);
        // The first hundred have left, but where the others stand is not known.
        throttle.skip(at(1200, 100));
        assert_eq!(throttle.own(at(1200, 1000)), 200);
        // All that was there at first has left.
        throttle.skip(at(5000, 1200));
        assert_eq!(throttle.own(at(5000, 1200)), 0);
        assert_eq!(throttle.own(at(5010, 5000)), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_ends_when_something_leaves() {
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
