//! How a route's messages are handled.

use std::time::Duration;

/// What the engine has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Handling {
    /// How many run beside others; 0 for in order.
    pub(crate) concurrent: usize,
    pub(crate) to_completion: bool,
    pub(crate) timeout: Option<Duration>,
}
