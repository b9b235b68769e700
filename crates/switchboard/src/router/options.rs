//! Options of one route.

use std::time::Duration;

use tower::layer::util::Stack;

use super::codes::Codes;
use crate::{dispatch::Handling, middleware::NoLayer};

/// Options of one handler: see [`WsRouter::on_with`](crate::WsRouter::on_with).
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
    pub(super) codes: Codes,
    pub(super) layer: L,
}

impl RouteOptions {
    /// Creates the default options: messages in order, a handler that is dropped when its request is
    /// over, the timeout [`handler_timeout`](crate::Config::handler_timeout), and no layers.
    pub const fn new() -> Self {
        Self { handling: Handling::DEFAULT, codes: Codes::NONE, layer: NoLayer }
    }
}

impl<L> RouteOptions<L> {
    /// Adds a [layer](crate::middleware) around the handler, and around the layers added before.
    pub fn layer<T>(self, layer: T) -> RouteOptions<Stack<L, T>> {
        RouteOptions { handling: self.handling, codes: self.codes, layer: Stack::new(self.layer, layer) }
    }

    /// Handles up to `count` messages of this route concurrently on one connection; 0 counts as 1.
    ///
    /// A message starts as soon as fewer than `count` are running. It does not wait for messages before
    /// it, and messages after it do not wait for it.
    pub fn concurrent(mut self, count: usize) -> Self {
        self.handling.concurrent = count.max(1);
        self
    }

    /// Keeps a handler running when its request is aborted, its deadline passes or its connection ends,
    /// instead of dropping it at its current `.await`. Its result is discarded then.
    /// [`Cancelled`](crate::Cancelled) tells the handler.
    ///
    /// It runs on for at most [`max_request_timeout`](crate::Config::max_request_timeout), and is dropped
    /// if [`max_detached`](crate::Config::max_detached) others do so already. A connection with
    /// [`max_detached_per_connection`](crate::Config::max_detached_per_connection) such handlers gets
    /// `RESOURCE_EXHAUSTED` for further messages of these routes.
    pub fn run_to_completion(mut self) -> Self {
        self.handling.to_completion = true;
        self
    }

    /// Adds an error code of the application that the request may fail with, for the
    /// [contract](crate::WsRouter::contract): clients get a type with these codes.
    ///
    /// ```
    /// use switchboard::RouteOptions;
    ///
    /// const OPTIONS: RouteOptions = RouteOptions::new().fails_with("SOLD_OUT").fails_with("CLOSED");
    /// # let _ = OPTIONS;
    /// ```
    ///
    /// # Panics
    ///
    /// If the code is not in the form `SOLD_OUT`, of at most 64 characters, or more than 8 are given. In a
    /// constant, that is an error of the compiler. Codes of the protocol need not be named.
    #[track_caller]
    pub const fn fails_with(mut self, code: &'static str) -> Self {
        self.codes = self.codes.with(code);
        self
    }

    /// Sets how long the handler may take, unless the request has a `meta.timeoutMs`. Default:
    /// [`handler_timeout`](crate::Config::handler_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.handling.timeout = Some(timeout);
        self
    }
}
