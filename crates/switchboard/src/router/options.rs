//! What a route may ask for.

use std::time::Duration;

use tower::layer::util::Stack;

use crate::{dispatch::Handling, middleware::NoLayer};

/// How the messages of one route are handled: see [`WsRouter::on_with`](crate::WsRouter::on_with).
///
/// ```
/// use std::time::Duration;
///
/// use switchboard::{RouteOptions, WsRouter, ws_message, ws_rpc};
///
/// #[ws_message("FOUND")]
/// struct Found {
///     ids: Vec<u64>,
/// }
///
/// #[ws_rpc("SEARCH", response = Found)]
/// struct Search {
///     text: String,
/// }
///
/// async fn search(search: Search) -> Found {
///     Found { ids: vec![search.text.len() as u64] }
/// }
///
/// let options = RouteOptions::new().concurrent(8).timeout(Duration::from_secs(5));
/// let ws = WsRouter::<()>::new().on_with(search, options);
/// # let _ = ws;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct RouteOptions<L = NoLayer> {
    pub(super) handling: Handling,
    pub(super) layer: L,
}

impl RouteOptions {
    /// As routes are without options: in order, dropped when nobody waits any more, with the deadline of
    /// [`handler_timeout`](crate::Config::handler_timeout), and without layers of its own.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<L> RouteOptions<L> {
    /// Puts a [layer](crate::middleware) around the handler, and around the layers that were put there
    /// before.
    pub fn layer<T>(self, layer: T) -> RouteOptions<Stack<L, T>> {
        RouteOptions { handling: self.handling, layer: Stack::new(self.layer, layer) }
    }

    /// Handles up to so many messages of this route at the same time on one connection. They start
    /// as soon as there is a place, do not wait for messages before them, and nothing behind waits
    /// for them. At least one.
    pub fn concurrent(mut self, count: usize) -> Self {
        self.handling.concurrent = count.max(1);
        self
    }

    /// Lets a handler go on to its end when its request was aborted, its deadline has passed or its
    /// connection has ended, instead of dropping it at the next `.await`: for work that must not
    /// stop half-way. Its result is lost then. [`Cancelled`](crate::Cancelled) tells it.
    ///
    /// It goes on for [`max_request_timeout`](crate::Config::max_request_timeout) at most, and only
    /// while fewer than [`max_detached`](crate::Config::max_detached) do. A connection that left
    /// [`max_detached_per_connection`](crate::Config::max_detached_per_connection) of them behind has
    /// to wait with further ones.
    pub fn run_to_completion(mut self) -> Self {
        self.handling.to_completion = true;
        self
    }

    /// How long a handler of this route may take, unless the request says otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.handling.timeout = Some(timeout);
        self
    }
}
