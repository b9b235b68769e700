//! Options of a route for the engine.

use std::time::Duration;

/// How the engine runs a route's handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Handling {
    /// The maximum number of concurrent handlers per connection; 0 for messages in order.
    pub(crate) concurrent: usize,
    pub(crate) to_completion: bool,
    pub(crate) timeout: Option<Duration>,
}

impl Handling {
    /// [`Default`], for constants.
    pub(crate) const DEFAULT: Self = Self { concurrent: 0, to_completion: false, timeout: None };
}
