//! Handlers that run to completion.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Completion;

/// Shared by the connection's task and a handler that keeps running when its request is over.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToCompletion {
    pub(crate) terminal: Arc<Completion>,
    pub(crate) cancellation: CancellationToken,
}
