//! Counts what a client sends in ten seconds.

use std::sync::OnceLock;

use tokio::time::Instant;

/// The window, in hundredths of a second.
const WINDOW: u32 = 1000;

/// Counters over a window of ten seconds, which starts with the first message counted in it.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// The start of the window, in hundredths of a second; 0 before the first.
    since: u32,
    control: u32,
    unhandled: u32,
    messages: u32,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// Pings and pongs.
    Control,
    /// Messages that reach no handler, and so no layer.
    Unhandled,
    /// All messages.
    Message,
}

impl Rates {
    /// Reads the clock and starts a new window if the old one is over. Messages call it once per
    /// turn; the others cost more than reading the clock anyway.
    pub(super) fn look(&mut self) {
        static START: OnceLock<Instant> = OnceLock::new();
        let start = *START.get_or_init(Instant::now);
        let hundredths = Instant::now().saturating_duration_since(start).as_millis() / 10 + 1;
        // Wraps around after more than a year.
        let now = u32::try_from(hundredths & u128::from(u32::MAX)).unwrap_or_default();
        if self.since == 0 || now.wrapping_sub(self.since) >= WINDOW {
            *self = Self { since: now, ..Self::default() };
        }
    }

    /// Counts one more; returns the number in this window.
    pub(super) fn count(&mut self, what: Counted) -> u32 {
        let count = match what {
            Counted::Control => &mut self.control,
            Counted::Unhandled => &mut self.unhandled,
            Counted::Message => &mut self.messages,
        };
        *count = count.saturating_add(1);
        *count
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counts_in_windows() {
        let mut rates = Rates::default();
        rates.look();
        assert_eq!((rates.count(Counted::Control), rates.count(Counted::Control)), (1, 2));
        tokio::time::advance(Duration::from_millis(9_980)).await;
        rates.look();
        assert_eq!(rates.count(Counted::Control), 3);
        assert_eq!((rates.count(Counted::Unhandled), rates.count(Counted::Message)), (1, 1));
        tokio::time::advance(Duration::from_millis(20)).await;
        rates.look();
        assert_eq!((rates.count(Counted::Control), rates.count(Counted::Unhandled)), (1, 1));
    }
}
