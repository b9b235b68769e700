//! The arrival time of a message.

use std::{
    convert::Infallible,
    time::{Duration, SystemTime},
};

use super::started_at;
use crate::{
    clock,
    extract::{FromMessageParts, MessageParts},
};

/// When the message arrived, by the server's clock: an extractor of handlers. Prefer it to the
/// timestamp in [`Meta`](crate::Meta), which the client sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReceivedAt(SystemTime);

impl ReceivedAt {
    /// Returns the time.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        self.0
    }

    /// Returns the time in milliseconds since 1970.
    #[must_use]
    pub fn as_millis(&self) -> u64 {
        self.0.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(0))
    }
}

impl<S: Sync, D: Send + Sync + 'static> FromMessageParts<S, D> for ReceivedAt {
    type Rejection = Infallible;

    async fn from_message_parts(parts: &mut MessageParts<D>, _: &S) -> Result<Self, Infallible> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(clock::now_ms());
        let ago = parts.waited().saturating_add(started_at::elapsed());
        Ok(Self(now.checked_sub(ago).unwrap_or(now)))
    }
}
