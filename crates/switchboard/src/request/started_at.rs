//! When the handler that is being polled was started.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

thread_local! {
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Set while a handler is polled again, so that an extractor that runs after a pending one knows how
/// much time has passed. Not set at the first poll, at which most handlers are ready.
#[must_use]
pub(crate) struct StartedAt {
    before: Option<Instant>,
}

impl StartedAt {
    pub(crate) fn enter(begun: Option<Instant>) -> Self {
        Self { before: BEGUN.replace(begun) }
    }
}

impl Drop for StartedAt {
    fn drop(&mut self) {
        BEGUN.set(self.before);
    }
}

/// Returns the time since the handler was started; zero at its first poll.
pub(super) fn elapsed() -> Duration {
    BEGUN.get().map_or(Duration::ZERO, |begun| begun.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_while_it_is_polled_again() {
        let begun = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(elapsed(), Duration::ZERO);
        {
            let _outer = StartedAt::enter(Some(begun));
            assert_eq!(elapsed(), Duration::from_secs(1));
            drop(StartedAt::enter(None));
            assert_eq!(elapsed(), Duration::from_secs(1));
        }
        assert_eq!(elapsed(), Duration::ZERO);
    }
}
