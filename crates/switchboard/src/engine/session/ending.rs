//! The end of a connection: cancels handlers and runs the last hooks.

use std::{collections::VecDeque, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use switchboard_core::CloseCode;

use super::{Inbox, Session};
use crate::{
    conn::{ConnInner, Signal},
    dispatch::Routing,
    engine::running::{Job, Running, run_each},
    guard::{drop_quietly, log_panic, quietly},
    handler::{CloseReason, Failure},
    metrics,
};

impl<D: Send + Sync + 'static> Session<D> {
    /// Cancels everything that runs or waits, except error hooks.
    pub(in crate::engine) fn cancel(&mut self) {
        self.inbox = Inbox::default();
        if let Some(calls) = self.conn.existing_calls() {
            calls.end();
        }
        let routing = Arc::clone(&self.routing);
        let concurrent = self.concurrent.take().into_iter().flat_map(|mut concurrent| concurrent.take_all());
        let running = self.running.take_if(|running| !matches!(running.what, Job::Error));
        let in_order = [running, self.auth_hooks.take()].into_iter().flatten().map(|running| *running);
        for mut running in in_order.chain(concurrent) {
            running.record("CANCELLED");
            running.cancel(|future, span| routing.detach(&self.conn, future, span));
        }
    }

    /// Cancels everything that runs or waits, and starts the close hooks. Does nothing when called
    /// again.
    pub(in crate::engine) fn end(&mut self, reason: &CloseReason) {
        if self.refused {
            return;
        }
        self.refused = true;
        // A panic here must not keep the close hooks from running.
        quietly("the end of a connection", || {
            tracing::debug!(code = %reason.code(), reason = reason.reason(), by = ?reason.by(), "disconnected");
            metrics::closed(reason.code());
        });
        quietly("the end of a connection", || self.cancel());
        let (conn, routing) = (Arc::clone(&self.conn), Arc::clone(&self.routing));
        let (running, failures) = (self.running.take(), self.failures.take());
        let stale = conn.is_told(Signal::Stale) && !routing.hooks.stale.is_empty();
        if routing.hooks.close.is_empty() && !stale && running.is_none() && failures.is_none() {
            return;
        }
        let reason = reason.clone();
        self.running = Some(Box::new(Running::hooks(Job::Close, async move {
            if running.is_some() || failures.is_some() {
                let failures = failures.map(|failures| *failures).unwrap_or_default();
                run_error_hooks(&conn, &routing, running, failures).await;
            }
            let hooks = &routing.hooks;
            if stale {
                run_each(&conn, "on_stale", &hooks.stale, ()).await;
            }
            run_each(&conn, "on_close", &hooks.close, reason).await;
        })));
    }

    /// Ends a session whose task is dropped early, as when the runtime shuts down: hooks no longer
    /// run, but pending calls to the client fail.
    pub(in crate::engine) fn abandon(&mut self) {
        if !self.refused {
            self.refused = true;
            metrics::closed(CloseCode::ABNORMAL);
        }
        quietly("the end of a connection", || self.cancel());
    }
}

/// Completes the error hooks that are running or queued when the connection ends, within
/// [`hook_timeout`](crate::Config::hook_timeout) for all.
async fn run_error_hooks<D: Send + Sync + 'static>(
    conn: &Arc<ConnInner<D>>,
    routing: &Arc<Routing<D>>,
    running: Option<Box<Running>>,
    failures: VecDeque<Failure>,
) {
    let hooks = async {
        if let Some(running) = running {
            drop_quietly(running.await);
        }
        for failure in failures {
            run_each(conn, "on_error", &routing.hooks.error, failure).await;
        }
    };
    // Dropped separately if it times out: its destructors may panic.
    let mut hooks = Box::pin(AssertUnwindSafe(hooks).catch_unwind());
    let in_time = tokio::time::timeout(conn.config().hook_timeout, hooks.as_mut()).await;
    drop_quietly(hooks);
    match in_time {
        Ok(Ok(())) => {}
        Ok(Err(panic)) => log_panic("on_error", panic),
        Err(_) => {
            if let Some(suppressed) = conn.hub().may_log() {
                tracing::warn!(
                    suppressed,
                    "on_error exceeded `Config::hook_timeout`: it does not see all failures of a closed connection"
                );
            }
        }
    }
}
