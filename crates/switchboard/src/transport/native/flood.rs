//! How many control frames a peer sends.

use std::time::Duration;

use tokio::time::Instant;

/// What is counted together.
const WINDOW: Duration = Duration::from_secs(10);

/// Counts control frames in windows of ten seconds.
#[derive(Debug)]
pub(super) struct Flood {
    since: Option<Instant>,
    count: u32,
    max: u32,
}

impl Flood {
    pub(super) fn new(max: u32) -> Self {
        Self { since: None, count: 0, max }
    }

    /// Counts one more.
    pub(super) fn is_too_much(&mut self) -> bool {
        let now = Instant::now();
        match self.since {
            Some(since) if now.duration_since(since) < WINDOW => self.count += 1,
            _ => (self.since, self.count) = (Some(now), 1),
        }
        self.count > self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counts_in_windows() {
        let mut flood = Flood::new(3);
        for _ in 0..3 {
            assert!(!flood.is_too_much());
        }
        assert!(flood.is_too_much());
        tokio::time::advance(WINDOW).await;
        assert!(!flood.is_too_much());
    }
}
