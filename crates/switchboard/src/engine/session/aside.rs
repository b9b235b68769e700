//! Questions about the connection itself: may it stay, is this token good?
//!
//! They are asked at once, beside whatever runs, and nothing new is begun before they are answered:
//! the answer counts for all that comes after the question.

use std::task::{Context, Poll};

use super::Session;
use crate::{
    conn::Signal,
    engine::running::{Job, Running, all},
};

impl<D: Send + Sync + 'static> Session<D> {
    /// Whether nothing new may begin at the moment.
    pub(super) fn is_held(&mut self) -> bool {
        self.aside.is_some() || self.is_throttled()
    }

    /// Whether a question can be asked now.
    pub(super) fn may_ask(&self) -> bool {
        self.aside.is_none() && !self.is_opening()
    }

    /// Asks what is to be asked, and looks for the answer.
    pub(super) fn poll_aside(&mut self, cx: &mut Context<'_>) {
        loop {
            if self.aside.is_none() && !self.start_reauthorization() {
                return;
            }
            let Some(mut aside) = self.aside.take_if(|aside| !aside.polled) else { return };
            match aside.poll(cx) {
                Poll::Ready(outcome) => self.finish(&mut aside, outcome),
                Poll::Pending => self.aside = Some(aside),
            }
        }
    }

    /// Asks the application whether the connection may stay, if that is due.
    fn start_reauthorization(&mut self) -> bool {
        let due = self.conn.has_signals() && self.may_ask() && !self.conn.outbox.is_closed();
        if !due || !self.conn.take_signal(Signal::Reauthorize) {
            return false;
        }
        let (conn, hooks) = (&self.conn, &self.routing.hooks.reauthorize);
        if hooks.is_empty() {
            return false;
        }
        let timeout = conn.config().hook_timeout;
        self.aside = Some(Box::new(Running::hook(Job::Reauthorize, timeout, || all(conn, hooks, ()))));
        true
    }
}
