//! Progress of requests.

use std::{collections::VecDeque, fmt, marker::PhantomData, sync::Arc};

use serde::Serialize;
use switchboard_core::{Request, WsError};

use super::Completion;
use crate::{
    SendError,
    conn::AnyConn,
    extract::MessageParts,
    handler::Argument,
    outbox::{FlushBy, Pushed, Until},
    wire::encode,
};

/// Sends steps of progress to the client: an extractor of handlers of requests. `P` is the type that
/// the request declares with `progress = P`.
///
/// ```
/// use switchboard::{Progress, WsError, ws_message, ws_payload, ws_rpc};
///
/// #[ws_payload]
/// struct Step {
///     percent: u8,
/// }
///
/// #[ws_message("IMPORTED")]
/// struct Imported {
///     rows: u32,
/// }
///
/// #[ws_rpc("IMPORT", response = Imported, progress = Step)]
/// struct Import {
///     url: String,
/// }
///
/// async fn import(mut progress: Progress<Step>, import: Import) -> Result<Imported, WsError> {
///     for percent in [25, 50, 75] {
///         progress.send(Step { percent }).await?;
///     }
///     Ok(Imported { rows: 3 })
/// }
/// # let _ = switchboard::WsRouter::<()>::new().on(import);
/// ```
///
/// It can be moved into a task that the handler spawns. Nothing is sent after the reply or error.
pub struct Progress<P> {
    conn: Arc<AnyConn>,
    correlation_id: Box<str>,
    terminal: Arc<Completion>,
    /// The position in the connection's queue behind each step that may not be written yet.
    queued: VecDeque<u64>,
    kind: PhantomData<fn(P)>,
}

impl<P: Serialize> Progress<P> {
    /// Sends a step.
    ///
    /// Backpressure: waits while [`max_queued_progress`](crate::Config::max_queued_progress) steps of
    /// this request are queued, or the connection's outbound queue is more than half full.
    ///
    /// # Errors
    ///
    /// [`Ended`](crate::SendErrorKind::Ended) once the request has its reply or error,
    /// [`Closed`](crate::SendErrorKind::Closed) once the connection is closed or closing,
    /// [`Invalid`](crate::SendErrorKind::Invalid) if the step does not serialise, or does not fit into the
    /// route's envelope.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, the step was not sent.
    pub async fn send(&mut self, step: P) -> Result<(), SendError> {
        // A loop that sends to a fast client would otherwise starve other tasks.
        tokio::task::coop::consume_budget().await;
        let frame = encode::progress(&step, &self.correlation_id)?;
        let outbox = &self.conn.outbox;
        let limit = self.conn.config().max_queued_progress;
        self.queued.retain(|position| *position > outbox.written_so_far());
        while self.queued.len() >= limit {
            let Some(oldest) = self.queued.front() else { break };
            if !outbox.wait(Until::Written(*oldest)).await {
                return Err(SendError::closed());
            }
            // After the wait, because the future may be dropped in it.
            self.queued.pop_front();
        }
        if !outbox.wait(Until::Room).await {
            return Err(SendError::closed());
        }
        let frame = self.conn.encode_for(frame).ok_or_else(SendError::no_envelope)?;
        // Only queued: nothing is written while the request is locked.
        let pushed = self.terminal.before_end(|| outbox.push_anyway(frame, FlushBy::Owner));
        match pushed {
            None => return Err(SendError::ended()),
            Some(Pushed::Closed) => return Err(SendError::closed()),
            Some(_) => {}
        }
        self.queued.push_back(outbox.pushed_so_far());
        Ok(())
    }

    /// Returns whether the request has ended: it has its reply or error, or its connection is closed.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.conn.outbox.is_closed() || self.terminal.before_end(|| ()).is_none()
    }
}

impl<P> fmt::Debug for Progress<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("correlation_id", &self.correlation_id).finish_non_exhaustive()
    }
}

/// Extracted from a request that declares progress.
#[derive(Debug)]
pub enum ViaRequest {}

#[diagnostic::do_not_recommend]
impl<S, D, Out, M, P> Argument<S, D, Out, M, ViaRequest> for Progress<P>
where
    S: Sync,
    D: Send + Sync + 'static,
    M: Request<Progress = P>,
    P: Send,
{
    async fn make(parts: &mut MessageParts<D>, _: &S) -> Result<Self, WsError> {
        Ok(Self {
            terminal: parts.terminal(),
            conn: Arc::clone(parts.conn_parts().inner()) as Arc<AnyConn>,
            // A request always has one.
            correlation_id: parts.correlation_id().unwrap_or_default().into(),
            queued: VecDeque::new(),
            kind: PhantomData,
        })
    }
}
