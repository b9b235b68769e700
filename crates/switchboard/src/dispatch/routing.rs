//! A mounted router, shared by the tasks of its connections.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tracing::{Instrument as _, Span};

use super::{Hooks, Idempotency, Table};
use crate::{
    conn::{ConnInner, RouteSettings},
    guard::{cut, drop_quietly},
    handler::HandlerResult,
};

/// What the engine needs of a router, without the type of its state.
pub(crate) struct Routing<D> {
    pub(crate) table: Table<D>,
    pub(crate) hooks: Hooks<D>,
    pub(crate) idempotency: Idempotency,
    pub(crate) settings: Arc<RouteSettings>,
    /// The number of handlers that run to completion after their request was over.
    detached: AtomicUsize,
}

impl<D: Send + Sync + 'static> Routing<D> {
    pub(crate) fn new(table: Table<D>, hooks: Hooks<D>, settings: Arc<RouteSettings>) -> Self {
        let idempotency = Idempotency::new(&settings.config);
        Self { table, hooks, idempotency, settings, detached: AtomicUsize::new(0) }
    }

    /// Runs a handler to completion in a task of its own, or drops it if too many do so.
    pub(crate) fn detach(self: &Arc<Self>, conn: &ConnInner<D>, future: BoxFuture<'static, HandlerResult>, span: Span) {
        struct DetachedPermit<D>(Arc<Routing<D>>, Arc<AtomicUsize>);
        impl<D> Drop for DetachedPermit<D> {
            fn drop(&mut self) {
                self.1.fetch_sub(1, Relaxed);
                self.0.detached.fetch_sub(1, Relaxed);
                self.0.settings.hub.detached_ended();
            }
        }
        let (hub, config) = (&self.settings.hub, &self.settings.config);
        let before = self.detached.fetch_add(1, Relaxed);
        hub.detached_begun();
        let of_conn = conn.detached_counter();
        of_conn.fetch_add(1, Relaxed);
        let permit = DetachedPermit(Arc::clone(self), of_conn);
        if before >= config.max_detached {
            if let Some(suppressed) = hub.may_log() {
                tracing::warn!(
                    suppressed,
                    "dropped a handler that should run to completion: the limit `Config::max_detached` is reached"
                );
            }
            return drop_quietly(future);
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return drop_quietly(future) };
        let (hub, longest) = (hub.clone(), config.max_request_timeout);
        runtime.spawn(
            async move {
                let _permit = permit;
                let mut future = AssertUnwindSafe(future).catch_unwind();
                let outcome = tokio::time::timeout(longest, &mut future).await;
                drop_quietly(future);
                let (error, what) = match outcome {
                    Ok(Ok(HandlerResult(Ok(_)))) => return,
                    Ok(Ok(HandlerResult(Err(error)))) => (Some(error), "a detached handler failed"),
                    Ok(Err(_)) => (None, "a detached handler panicked"),
                    Err(_) => (None, "a detached handler took too long and was dropped"),
                };
                if let Some(suppressed) = hub.may_log() {
                    let error = error.as_ref().map(|error| cut(error.message()));
                    tracing::error!(error, suppressed, "{what}");
                }
            }
            .instrument(span),
        );
    }
}
