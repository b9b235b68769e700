//! Refresh and reauthorization hooks.
//!
//! They start at once, beside running handlers. Nothing new starts before they complete, since
//! their result applies to every later message.

use std::task::{Context, Poll};

use super::Session;
use crate::{
    conn::Signal,
    engine::running::{Job, Running, run_until_error},
};

impl<D: Send + Sync + 'static> Session<D> {
    /// Whether nothing new may start at the moment.
    pub(super) fn is_paused(&mut self) -> bool {
        self.auth_hooks.is_some() || self.is_throttled()
    }

    /// Whether refresh or reauthorization hooks can start now.
    pub(super) fn can_run_auth_hooks(&self) -> bool {
        self.auth_hooks.is_none() && !self.is_opening()
    }

    /// Starts reauthorization if it is due, and polls the running hooks.
    pub(super) fn poll_auth_hooks(&mut self, cx: &mut Context<'_>) {
        loop {
            if self.auth_hooks.is_none() && !self.start_reauthorization() {
                return;
            }
            let Some(mut auth_hooks) = self.auth_hooks.take_if(|auth_hooks| !auth_hooks.polled) else { return };
            match auth_hooks.poll(cx) {
                Poll::Ready(outcome) => self.finish(&mut auth_hooks, outcome),
                Poll::Pending => self.auth_hooks = Some(auth_hooks),
            }
        }
    }

    /// Starts the `on_reauthorize` hooks if they are due.
    fn start_reauthorization(&mut self) -> bool {
        let due = self.conn.has_signals() && self.can_run_auth_hooks() && !self.conn.outbox.is_closed();
        if !due || !self.conn.take_signal(Signal::Reauthorize) {
            return false;
        }
        let (conn, hooks) = (&self.conn, &self.routing.hooks.reauthorize);
        if hooks.is_empty() {
            return false;
        }
        let timeout = conn.config().hook_timeout;
        self.auth_hooks = Some(Box::new(Running::hook(Job::Reauthorize, timeout, || run_until_error(conn, hooks, ()))));
        true
    }
}
