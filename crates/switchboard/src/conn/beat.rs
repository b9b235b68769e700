//! Whether the peer is still there: pings, pongs and the round trip between them.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

use crate::transport::Frame;

/// What a ping counts as in the queue.
const PING_COST: u64 = 2 + size_of::<Frame>() as u64;

/// What is known of one connection's heartbeat. Times are microseconds since the first of all, to
/// fit into an atomic.
#[derive(Debug, Default)]
pub(crate) struct Beat {
    /// When the ping left that has no answer yet; 0 for none.
    pinged: AtomicU64,
    /// The last round trip; 0 for none.
    round_trip: AtomicU32,
    /// Whether nothing is read, because the inbox is full; and whether that was so at some time since
    /// the ping.
    suspended: AtomicBool,
    was_suspended: AtomicBool,
    /// How much had been written when the ping left, or at the last look.
    written: AtomicU64,
}

/// What a look at a ping's answer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulse {
    Alive,
    /// It could not be expected yet.
    Wait,
    /// The peer has not read for long.
    NotReading,
    Stale,
}

fn now() -> u64 {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let first = *FIRST.get_or_init(Instant::now);
    // Never 0, which has another meaning.
    u64::try_from(Instant::now().saturating_duration_since(first).as_micros()).map_or(u64::MAX, |micros| micros + 1)
}

impl Beat {
    /// A ping was queued. `written`: how much had left by then.
    pub(crate) fn ping(&self, written: u64) {
        self.was_suspended.store(self.suspended.load(Relaxed), Relaxed);
        self.written.store(written, Relaxed);
        self.pinged.store(now(), Relaxed);
    }

    /// A pong has come.
    pub(crate) fn pong(&self) {
        let pinged = self.pinged.swap(0, Relaxed);
        if pinged != 0 {
            let micros = now().saturating_sub(pinged).max(1);
            self.round_trip.store(u32::try_from(micros).unwrap_or(u32::MAX), Relaxed);
        }
    }

    /// Nothing is read for now.
    pub(crate) fn suspend(&self) {
        self.suspended.store(true, Relaxed);
        self.was_suspended.store(true, Relaxed);
    }

    /// It is read again.
    pub(crate) fn resume(&self) {
        if self.suspended.load(Relaxed) {
            self.suspended.store(false, Relaxed);
        }
    }

    /// Looks for the answer. `written`, `waits`: how much has left by now, and whether more waits.
    pub(crate) fn look(&self, written: u64, waits: bool) -> Pulse {
        if self.pinged.load(Relaxed) == 0 {
            return Pulse::Alive;
        }
        // The ping itself may have left since.
        let moved = written.saturating_sub(self.written.swap(written, Relaxed)) > PING_COST;
        if self.was_suspended.swap(self.suspended.load(Relaxed), Relaxed) || moved {
            Pulse::Wait
        } else if waits {
            Pulse::NotReading
        } else {
            Pulse::Stale
        }
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        let micros = self.round_trip.load(Relaxed);
        (micros != 0).then(|| Duration::from_micros(micros.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn round_trips_are_measured() {
        let beat = Beat::default();
        assert_eq!((beat.look(0, false), beat.round_trip()), (Pulse::Alive, None));
        beat.ping(0);
        tokio::time::advance(Duration::from_millis(7)).await;
        assert_eq!(beat.look(0, false), Pulse::Stale);
        beat.pong();
        assert_eq!((beat.look(0, false), beat.round_trip()), (Pulse::Alive, Some(Duration::from_millis(7))));
        // One that was not asked for.
        beat.pong();
        assert_eq!(beat.round_trip(), Some(Duration::from_millis(7)));
    }

    #[test]
    fn protocol_7_3_progress_of_reading_and_writing_counts() {
        let beat = Beat::default();
        beat.ping(5);
        assert_eq!(beat.look(1000, true), Pulse::Wait);
        assert_eq!(beat.look(1000, true), Pulse::NotReading);
        beat.suspend();
        assert_eq!(beat.look(1000, false), Pulse::Wait);
        assert_eq!(beat.look(1000, false), Pulse::Wait);
        // The answer may be behind what waits to be read now.
        beat.resume();
        assert_eq!(beat.look(1000, false), Pulse::Wait);
        assert_eq!(beat.look(1000 + PING_COST, false), Pulse::Stale);
    }
}
