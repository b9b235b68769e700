//! A router as its connections' tasks share it.

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

/// What the engine needs: free of the state's type.
pub(crate) struct Routing<D> {
    pub(crate) table: Table<D>,
    pub(crate) hooks: Hooks<D>,
    pub(crate) idempotency: Idempotency,
    pub(crate) settings: Arc<RouteSettings>,
    /// How many handlers go on without anybody waiting for them.
    detached: AtomicUsize,
}

impl<D: Send + Sync + 'static> Routing<D> {
    pub(crate) fn new(table: Table<D>, hooks: Hooks<D>, settings: Arc<RouteSettings>) -> Self {
        let idempotency = Idempotency::new(&settings.config);
        Self { table, hooks, idempotency, settings, detached: AtomicUsize::new(0) }
    }

    /// Lets a handler go on to its end in a task of its own, unless too many do.
    pub(crate) fn detach(self: &Arc<Self>, conn: &ConnInner<D>, future: BoxFuture<'static, HandlerResult>, span: Span) {
        struct Place<D>(Arc<Routing<D>>, Arc<AtomicUsize>);
        impl<D> Drop for Place<D> {
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
        let place = Place(Arc::clone(self), of_conn);
        if before >= config.max_detached {
            if let Some(suppressed) = hub.may_log() {
                tracing::warn!(
                    suppressed,
                    "a handler is dropped that was to run to completion: `Config::max_detached` others do"
                );
            }
            return drop_quietly(future);
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return drop_quietly(future) };
        let (hub, longest) = (hub.clone(), config.max_request_timeout);
        runtime.spawn(
            async move {
                let _place = place;
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
