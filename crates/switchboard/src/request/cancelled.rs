//! Cancellation of spawned tasks.

use switchboard_core::WsError;
use tokio_util::sync::CancellationToken;

use crate::extract::{FromMessageParts, MessageParts};

/// Signals cancellation to tasks that a handler has spawned: an extractor of handlers. Cheap to
/// clone.
///
/// It is cancelled when the request is aborted, its deadline passes or its connection ends. The
/// handler's own future is dropped then, but its spawned tasks keep running. It is not cancelled
/// when the handler completes.
///
/// ```
/// use switchboard::{Cancelled, WsError, ws_message, ws_rpc};
///
/// #[ws_message("REPORT")]
/// struct Report {
///     pages: u32,
/// }
///
/// #[ws_rpc("MAKE_REPORT", response = Report)]
/// struct MakeReport {
///     name: String,
/// }
///
/// async fn make_report(cancelled: Cancelled, make: MakeReport) -> Result<Report, WsError> {
///     let work = tokio::task::spawn_blocking(move || {
///         let mut pages = 0;
///         while pages < 1000 && !cancelled.is_cancelled() {
///             pages += 1;
///         }
///         pages
///     });
///     let pages = work.await.map_err(WsError::internal)?;
///     Ok(Report { pages })
/// }
/// # let _ = switchboard::WsRouter::<()>::new().on(make_report);
/// ```
#[derive(Debug, Clone)]
pub struct Cancelled(CancellationToken);

impl Cancelled {
    pub(crate) fn new(token: CancellationToken) -> Self {
        Self(token)
    }

    /// Returns whether the request was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the request is cancelled. Never ready if the handler completes.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub async fn cancelled(&self) {
        self.0.cancelled().await;
    }
}

impl<S: Sync, D: Send + Sync + 'static> FromMessageParts<S, D> for Cancelled {
    type Rejection = WsError;

    async fn from_message_parts(parts: &mut MessageParts<D>, _: &S) -> Result<Self, WsError> {
        Ok(Self::new(parts.cancellation()))
    }
}
