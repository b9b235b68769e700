//! The limits.

use std::time::Duration;

use switchboard::{RateLimitLayer, WsError, middleware::Limited};

/// Types that are sent with every key press.
const TYPING: [&str; 2] = ["TYPING_START", "TYPING_STOP"];

/// The limits, with windows that are this many times shorter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    speed: u32,
}

impl Limits {
    pub(crate) fn at_speed(speed: u32) -> Self {
        Self { speed: speed.max(1) }
    }

    fn seconds(self, seconds: u64) -> Duration {
        Duration::from_secs(seconds) / self.speed
    }

    /// For `CHAT_MESSAGE` alone.
    pub(crate) fn messages(self) -> RateLimitLayer<()> {
        let refuse = |limited: Limited| refused("Too many messages. Please slow down.", limited);
        RateLimitLayer::per_connection(10, self.seconds(60)).on_limited(refuse)
    }

    /// For `JOIN_CHANNEL` alone.
    pub(crate) fn joins(self) -> RateLimitLayer<()> {
        let refuse = |limited: Limited| refused("Too many join requests.", limited);
        RateLimitLayer::per_connection(5, self.seconds(300)).on_limited(refuse)
    }

    /// For all messages together, in a window that slides: never more than 10 in any minute.
    pub(crate) fn all(self) -> RateLimitLayer<()> {
        let refuse = |limited: Limited| refused("Too many messages. Max 10 per minute.", limited);
        RateLimitLayer::per_connection(10, self.seconds(60)).on_limited(refuse)
    }

    /// For all messages but typing, in fixed windows.
    ///
    /// The counters are stored in the connection, so there is nothing to clean up.
    pub(crate) fn windows(self) -> RateLimitLayer<()> {
        let refuse = |limited: Limited| {
            refused("Rate limit exceeded", limited)
                .with_detail("secondsRemaining", limited.retry_after.as_millis().div_ceil(1000))
                .with_detail("maxMessages", limited.max)
                .with_detail("windowMs", u64::try_from(limited.window.as_millis()).unwrap_or(u64::MAX))
        };
        RateLimitLayer::per_connection(20, self.seconds(10)).fixed_window().exclude(TYPING).on_limited(refuse)
    }
}

fn refused(text: &'static str, limited: Limited) -> WsError {
    WsError::resource_exhausted(text).with_retry_after(limited.retry_after)
}
