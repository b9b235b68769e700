//! The deadline of a handler.

use std::{convert::Infallible, time::Duration};

use tokio::time::Instant;

use super::started_at;
use crate::extract::{FromMessageParts, MessageParts};

/// The time at which the handler is dropped: an extractor of handlers.
///
/// It is counted from the message's arrival, and is the first of these:
///
/// 1. the client's `meta.timeoutMs`, at most
///    [`max_request_timeout`](crate::Config::max_request_timeout);
/// 2. the route's [`timeout`](crate::RouteOptions::timeout);
/// 3. [`handler_timeout`](crate::Config::handler_timeout), 30 s by default.
///
/// ```
/// use std::time::Duration;
///
/// use switchboard::{Deadline, WsError, ws_message};
///
/// #[ws_message("SEARCH")]
/// struct Search {
///     text: String,
/// }
///
/// async fn search(deadline: Deadline, search: Search) -> Result<(), WsError> {
///     // Leaves some time to answer.
///     let patience = deadline.remaining().saturating_sub(Duration::from_millis(50));
///     println!("searching for {} for {patience:?}", search.text);
///     Ok(())
/// }
/// # let _ = switchboard::WsRouter::<()>::new().on(search);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(left: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(left).unwrap_or(now))
    }

    /// Returns the deadline.
    #[must_use]
    pub fn instant(&self) -> Instant {
        self.0
    }

    /// Returns the time left; zero once the deadline has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

impl<S: Sync, D: Send + Sync + 'static> FromMessageParts<S, D> for Deadline {
    type Rejection = Infallible;

    async fn from_message_parts(parts: &mut MessageParts<D>, _: &S) -> Result<Self, Infallible> {
        Ok(Self::after(parts.left().saturating_sub(started_at::elapsed())))
    }
}
