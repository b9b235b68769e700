//! Heartbeat: pings, pongs and the round-trip time.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

use crate::wire::Frame;

/// The size of a ping in the queue.
const PING_COST: u64 = 2 + size_of::<Frame>() as u64;

/// The heartbeat of one connection. Times are microseconds since the first heartbeat of the
/// process, to fit into an atomic.
#[derive(Debug, Default)]
pub(crate) struct Heartbeat {
    /// When the unanswered ping was queued; 0 without one.
    pinged: AtomicU64,
    /// The last round-trip time; 0 before the first pong.
    round_trip: AtomicU32,
    /// Reading is suspended, because the inbox is full.
    suspended: AtomicBool,
    /// Reading was suspended at some time since the ping.
    was_suspended: AtomicBool,
    /// The low bits of the bytes written at the ping or the last check; enough to see progress.
    written: AtomicU32,
    /// The peer was behind with reading at that time, so any later write proves that it reads.
    behind: AtomicBool,
    /// The bytes received of an incomplete message.
    partial: AtomicU32,
    /// More of an incomplete message has arrived since the ping or the last check.
    received: AtomicBool,
}

/// The progress of writing to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WriteProgress {
    pub(crate) bytes: u64,
    /// More is queued.
    pub(crate) waits: bool,
    /// The operating system's buffer is full, because the peer has not read what was written.
    /// Otherwise progress says nothing about the peer.
    pub(crate) behind: bool,
}

/// The result of checking whether a ping was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Liveness {
    Alive,
    /// No answer yet, but there was progress: check again later.
    Wait,
    /// No answer, and the peer does not read what is queued for it.
    NotReading,
    /// No answer, although nothing is queued.
    Stale,
}

fn now() -> u64 {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let first = *FIRST.get_or_init(Instant::now);
    // Never 0, which means none.
    u64::try_from(Instant::now().saturating_duration_since(first).as_micros()).map_or(u64::MAX, |micros| micros + 1)
}

fn low_bits(bytes: u64) -> u32 {
    u32::try_from(bytes & u64::from(u32::MAX)).unwrap_or_default()
}

impl Heartbeat {
    /// Notes that a ping was queued.
    pub(crate) fn ping(&self, written: WriteProgress) {
        self.was_suspended.store(self.suspended.load(Relaxed), Relaxed);
        self.written.store(low_bits(written.bytes), Relaxed);
        self.behind.store(written.behind, Relaxed);
        self.received.store(false, Relaxed);
        self.pinged.store(now(), Relaxed);
    }

    /// Notes a pong.
    pub(crate) fn pong(&self) {
        let pinged = self.pinged.swap(0, Relaxed);
        if pinged != 0 {
            let micros = now().saturating_sub(pinged).max(1);
            self.round_trip.store(u32::try_from(micros).unwrap_or(u32::MAX), Relaxed);
        }
    }

    /// Notes that reading is suspended.
    pub(crate) fn suspend(&self) {
        self.suspended.store(true, Relaxed);
        self.was_suspended.store(true, Relaxed);
    }

    /// Notes that reading has resumed.
    pub(crate) fn resume(&self) {
        if self.suspended.load(Relaxed) {
            self.suspended.store(false, Relaxed);
        }
    }

    /// Notes how many bytes of an incomplete message have arrived. The pong can only come behind
    /// it.
    pub(crate) fn received(&self, bytes: usize) {
        // Only a change of the number matters.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if self.partial.swap(bytes, Relaxed) != bytes {
            self.received.store(true, Relaxed);
        }
    }

    /// Checks whether the ping was answered.
    pub(crate) fn check(&self, written: WriteProgress) -> Liveness {
        if self.pinged.load(Relaxed) == 0 {
            return Liveness::Alive;
        }
        // The ping itself is no progress.
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
        // An unsolicited pong.
        heartbeat.pong();
        assert_eq!(heartbeat.round_trip(), Some(Duration::from_millis(7)));
    }

    #[test]
    fn progress_of_reading_and_writing_extends_the_deadline() {
        let heartbeat = Heartbeat::default();
        heartbeat.ping(behind(5));
        assert_eq!(heartbeat.check(behind(1000)), Liveness::Wait);
        assert_eq!(heartbeat.check(behind(1000)), Liveness::NotReading);
        heartbeat.suspend();
        assert_eq!(heartbeat.check(written(1000)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(1000)), Liveness::Wait);
        // The pong may be behind messages that are only read now.
        heartbeat.resume();
        assert_eq!(heartbeat.check(written(1000)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(1000 + PING_COST)), Liveness::Stale);
    }

    #[test]
    fn a_slow_message_is_a_sign_of_life() {
        let heartbeat = Heartbeat::default();
        heartbeat.received(100);
        heartbeat.ping(written(0));
        // No progress.
        heartbeat.received(100);
        assert_eq!(heartbeat.check(written(0)), Liveness::Stale);
        heartbeat.ping(written(0));
        heartbeat.received(200);
        assert_eq!(heartbeat.check(written(0)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(0)), Liveness::Stale);
    }

    #[test]
    fn writes_into_an_empty_socket_buffer_do_not_count() {
        let heartbeat = Heartbeat::default();
        heartbeat.ping(written(5));
        assert_eq!(heartbeat.check(written(1000)), Liveness::Stale);
        // The socket buffer is full now: the peer did not read what was written before.
        heartbeat.ping(written(1000));
        assert_eq!(heartbeat.check(behind(2000)), Liveness::NotReading);
        // From now on, progress counts.
        assert_eq!(heartbeat.check(behind(3000)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(4000)), Liveness::Wait);
        assert_eq!(heartbeat.check(written(5000)), Liveness::Stale);
    }
}
