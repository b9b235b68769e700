//! What is shared with a handler that is not dropped.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Completion;

/// A handler that goes on when nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToCompletion {
    pub(crate) terminal: Arc<Completion>,
    pub(crate) cancellation: CancellationToken,
}
