//! The end of a connection: what is given up, and the hooks that still run.

use std::{collections::VecDeque, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use switchboard_core::CloseCode;

use super::{Inbox, Session};
use crate::{
    conn::{ConnInner, Signal},
    dispatch::Routing,
    engine::running::{Job, Running, each},
    guard::{drop_quietly, log_panic, quietly},
    handler::{CloseReason, Failure},
    metrics,
};

impl<D: Send + Sync + 'static> Session<D> {
    /// Gives up what runs and waits, but for error hooks.
    pub(in crate::engine) fn give_up(&mut self) {
        self.inbox = Inbox::default();
        if let Some(calls) = self.conn.existing_calls() {
            calls.end();
        }
        let routing = Arc::clone(&self.routing);
        let beside = self.beside.take().into_iter().flat_map(|mut beside| beside.take_all());
        let running = self.running.take_if(|running| !matches!(running.what, Job::Error));
        let in_order = [running, self.aside.take()].into_iter().flatten().map(|running| *running);
        for mut running in in_order.chain(beside) {
            running.record("CANCELLED");
            running.give_up(|future, span| routing.detach(&self.conn, future, span));
        }
    }

    /// Gives up what runs and waits; runs the close hooks. Once.
    pub(in crate::engine) fn end(&mut self, reason: &CloseReason) {
        if self.refused {
            return;
        }
        self.refused = true;
        // Whatever happens here, the hooks run.
        quietly("the end of a connection", || {
            tracing::debug!(code = %reason.code(), reason = reason.reason(), by = ?reason.by(), "disconnected");
            metrics::closed(reason.code());
        });
        quietly("the end of a connection", || self.give_up());
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
                tell_failures(&conn, &routing, running, failures).await;
            }
            let hooks = &routing.hooks;
            if stale {
                each(&conn, "on_stale", &hooks.stale, ()).await;
            }
            each(&conn, "on_close", &hooks.close, reason).await;
        })));
    }

    /// Its task is dropped before its end, as when the runtime shuts down: hooks cannot run any more,
    /// but whoever waits for the client learns it.
    pub(in crate::engine) fn abandon(&mut self) {
        if !self.refused {
            self.refused = true;
            metrics::closed(CloseCode::ABNORMAL);
        }
        quietly("the end of a connection", || self.give_up());
    }
}

/// The error hooks that still run or are to run when the connection ends, within their time.
async fn tell_failures<D: Send + Sync + 'static>(
    conn: &Arc<ConnInner<D>>,
    routing: &Arc<Routing<D>>,
    running: Option<Box<Running>>,
    failures: VecDeque<Failure>,
) {
    let told = async {
        if let Some(running) = running {
            drop_quietly(running.await);
        }
        for failure in failures {
            each(conn, "on_error", &routing.hooks.error, failure).await;
        }
    };
    // What is left of it is dropped apart: it is the application's.
    let mut told = Box::pin(AssertUnwindSafe(told).catch_unwind());
    let in_time = tokio::time::timeout(conn.config().hook_timeout, told.as_mut()).await;
    drop_quietly(told);
    match in_time {
        Ok(Ok(())) => {}
        Ok(Err(panic)) => log_panic("on_error", panic),
        Err(_) => {
            if let Some(suppressed) = conn.hub().may_log() {
                tracing::warn!(
                    suppressed,
                    "on_error took too long: it does not see all failures of a closed connection"
                );
            }
        }
    }
}
