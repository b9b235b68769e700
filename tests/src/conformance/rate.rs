//! How many messages a client may send, where that is limited.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use switchboard::{ConnParts, FromConnParts, WsError};
use tokio::time::Instant;

use super::User;

/// So many messages.
const MAX: usize = 5;

/// In this time.
const WINDOW: Duration = Duration::from_secs(1);

/// The times of the last messages of one connection.
#[derive(Debug, Default)]
pub(super) struct Rate(Mutex<VecDeque<Instant>>);

impl Rate {
    fn count(&self) -> Result<(), WsError> {
        let mut times = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        while times.front().is_some_and(|time| now.duration_since(*time) >= WINDOW) {
            times.pop_front();
        }
        if times.len() < MAX {
            times.push_back(now);
            return Ok(());
        }
        let free = times.front().map_or(WINDOW, |time| WINDOW.saturating_sub(now.duration_since(*time)));
        let millis = u64::try_from(free.as_millis()).unwrap_or(u64::MAX).max(1);
        Err(WsError::resource_exhausted("too many messages").with_retry_after_ms(millis))
    }
}

/// The message was counted, if its connection's are.
pub(super) struct Counted;

impl<S: Sync> FromConnParts<S, User> for Counted {
    type Rejection = WsError;

    async fn from_conn_parts(parts: &ConnParts<User>, _: &S) -> Result<Self, WsError> {
        if let Some(rate) = &parts.data().rate {
            rate.count()?;
        }
        Ok(Self)
    }
}
