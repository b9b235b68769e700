//! Whether the peer is still there: pings, pongs and the round trip between them.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

use crate::wire::Frame;

/// What a ping counts as in the queue.
const PING_COST: u64 = 2 + size_of::<Frame>() as u64;

/// What is known of one connection's heartbeat. Times are microseconds since the first of all, to
/// fit into an atomic.
#[derive(Debug, Default)]
pub(crate) struct Heartbeat {
    /// When the ping left that has no answer yet; 0 for none.
    pinged: AtomicU64,
    /// The last round trip; 0 for none.
    round_trip: AtomicU32,
    /// Whether nothing is read, because the inbox is full; and whether that was so at some time since
    /// the ping.
    suspended: AtomicBool,
    was_suspended: AtomicBool,
    /// How much had been written when the ping left, or at the last look: the low bits, which show as
    /// well whether it is more by now.
    written: AtomicU32,
    /// Whether the peer was behind with reading then, so that whatever is written after shows that it reads.
    behind: AtomicBool,
    /// How much had arrived of the message that is half-way, and whether more did since the ping, or
    /// the last look.
    half: AtomicU32,
    received: AtomicBool,
}

/// How far writing to the peer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WriteProgress {
    pub(crate) bytes: u64,
    /// More waits.
    pub(crate) waits: bool,
    /// The operating system takes no more: what it has, the peer has not read yet. Else that something
    /// is written says nothing of the peer.
    pub(crate) behind: bool,
}

/// What a look at a ping's answer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Liveness {
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

fn low_bits(bytes: u64) -> u32 {
    u32::try_from(bytes & u64::from(u32::MAX)).unwrap_or_default()
}

impl Heartbeat {
    /// A ping was queued.
    pub(crate) fn ping(&self, written: WriteProgress) {
        self.was_suspended.store(self.suspended.load(Relaxed), Relaxed);
        self.written.store(low_bits(written.bytes), Relaxed);
        self.behind.store(written.behind, Relaxed);
        self.received.store(false, Relaxed);
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

    /// So much has arrived of a message that is half-way: no answer can come before its end.
    pub(crate) fn received(&self, bytes: usize) {
        // Only whether it is another number matters.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if self.half.swap(bytes, Relaxed) != bytes {
            self.received.store(true, Relaxed);
        }
    }

    /// Looks for the answer.
    pub(crate) fn check(&self, written: WriteProgress) -> Liveness {
        if self.pinged.load(Relaxed) == 0 {
            return Liveness::Alive;
        }
        // The ping itself may have left since.
        let bytes = low_bits(written.bytes);
        let moved = u64::from(bytes.wrapping_sub(self.written.swap(bytes, Relaxed))) > PING_COST;
        let moved = self.behind.swap(written.behind, Relaxed) && moved;
        let received = self.received.swap(false, Relaxed);
        if self.was_suspended.swap(self.suspended.load(Relaxed), Relaxed) || moved || received {
            Liveness::Wait
        } else if written.waits {
            Liveness::NotReading
        } else {
            Liveness::Stale
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

    fn written(bytes: u64) -> WriteProgress {
        WriteProgress { bytes, waits: false, behind: false }
    }

    fn behind(bytes: u64) -> WriteProgress {
        WriteProgress { bytes, waits: true, behind: true }
    }

    #[tokio::test(start_paused = true)]
    async fn round_trips_are_measured() {
        let heartbeat = Heartbeat::default();
        assert_eq!((heartbeat.check(written(0)), heartbeat.round_trip()), (Liveness::Alive, None));
        heartbeat.ping(written(0));
        tokio::time::advance(Duration::from_millis(7)).await;
        assert_eq!(heartbeat.check(written(0)), Liveness::Stale);
        heartbeat.pong();
        assert_eq!(
            (heartbeat.check(written(0)), heartbeat.round_trip()),
            (Liveness::Alive, Some(Duration::from_millis(7)))
        );
        // One that was not asked for.
        heartbeat.pong();
        assert_eq!(heartbeat.round_trip(), Some(Duration::from_millis(7)));
    }

    #[test]
    fn protocol_7_3_progress_of_reading_and_writing_counts() {
        let heartbeat = Heartbeat::default();
        heartbeat.ping(behind(5));
        assert_eq!(heartbeat.check(behind(1000)), Liveness::Wait);
        assert_eq!(heartbeat.check(behind(1000)), Liveness::NotReading);
        heartbeat.suspend();
        assert_eq!(heartbeat.check(written(1000)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(1000)), Liveness::Wait);
        // The answer may be behind what waits to be read now.
        heartbeat.resume();
        assert_eq!(heartbeat.check(written(1000)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(1000 + PING_COST)), Liveness::Stale);
    }

    #[test]
    fn a_message_that_comes_slowly_is_a_sign_of_life() {
        let heartbeat = Heartbeat::default();
        heartbeat.received(100);
        heartbeat.ping(written(0));
        // Nothing more of it has come.
        heartbeat.received(100);
        assert_eq!(heartbeat.check(written(0)), Liveness::Stale);
        heartbeat.ping(written(0));
        heartbeat.received(200);
        assert_eq!(heartbeat.check(written(0)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(0)), Liveness::Stale);
    }

    #[test]
    fn what_only_the_operating_system_took_does_not_count() {
        let heartbeat = Heartbeat::default();
        heartbeat.ping(written(5));
        assert_eq!(heartbeat.check(written(1000)), Liveness::Stale);
        // It takes no more by now: the peer did not read, whatever was written before.
        heartbeat.ping(written(1000));
        assert_eq!(heartbeat.check(behind(2000)), Liveness::NotReading);
        // From the last look on, it counts.
        assert_eq!(heartbeat.check(behind(3000)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(4000)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(5000)), Liveness::Stale);
    }
}
