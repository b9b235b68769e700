//! Starts handlers and hooks.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use switchboard_core::{CloseCode, LimitReached, WsError};

use super::{Session, left};
use crate::{
    dispatch::Routed,
    engine::{
        incoming::{Refusal, Work},
        running::{Job, Outcome, Running, message_span, run_until_error, start_handler},
    },
    extract::Timing,
    request::{AsCall, Call, ToCompletion},
};

impl<D: Send + Sync + 'static> Session<D> {
    /// Starts `work`. If it is pending, it becomes what is running.
    #[inline(never)]
    pub(super) fn start<C: AsCall>(&mut self, work: Work<C>, waited: Duration, cx: &mut Context<'_>) {
        if !matches!(work, Work::Refuse(Refusal { is_bad: true, .. })) {
            self.bad_in_a_row = 0;
        }
        let (conn, hooks, timeout) = (&self.conn, &self.routing.hooks, self.conn.config().handler_timeout);
        let running = match work {
            Work::Call(index, call) => return self.call(index, call.as_call(), waited, cx),
            Work::Refuse(refusal) => return self.refuse(refusal),
            Work::Text(text) => {
                hooks.text.as_ref().map(|named| Running::hook(Job::Text, timeout, || named.hook.call(conn, text)))
            }
            Work::Binary(bytes) => {
                let hook = hooks.binary.as_ref();
                hook.map(|named| Running::hook(Job::Binary, timeout, || named.hook.call(conn, bytes)))
            }
            Work::Fallback(message) => {
                let what = Job::Fallback(message.correlation_id().map(Into::into));
                let hook = hooks.fallback.as_ref();
                hook.map(|named| Running::hook(what, timeout, || named.hook.call(conn, message)))
            }
            Work::Refresh(token, id) => {
                self.auth_hooks = Some(Box::new(Running::hook(Job::Refresh(id), timeout, || {
                    run_until_error(conn, &hooks.refresh, token)
                })));
                return self.poll_auth_hooks(cx);
            }
        };
        if let Some(running) = running {
            self.poll_new(running, cx);
        }
    }

    /// Returns the time that a message may take, waiting and running together.
    pub(super) fn timeout(&self, index: usize, call: Call<'_>) -> Duration {
        let (config, options) = (self.conn.config(), &self.routing.table.get(index).options);
        let default = options.timeout.unwrap_or(config.handler_timeout);
        call.timeout().map_or(default, |asked| asked.min(config.max_request_timeout))
    }

    #[inline]
    pub(super) fn call(&mut self, index: usize, call: Call<'_>, waited: Duration, cx: &mut Context<'_>) {
        self.bad_in_a_row = 0;
        let (route, timeout) = (self.routing.table.get(index), self.timeout(index, call));
        let id = call.id();
        let Some(left) = left(timeout, waited) else {
            return self.finish_call(id, &tracing::Span::none(), Outcome::TimedOut);
        };
        if route.options.to_completion
            && let Err(error) = self.may_run_to_completion()
        {
            return self.finish_call(id, &tracing::Span::none(), Outcome::Done(Err(error)));
        }
        let to_completion = route.options.to_completion.then(ToCompletion::default);
        let routed = Routed {
            conn: &self.conn,
            routing: &self.routing,
            route: index,
            call,
            timing: Timing::new(waited, left),
            to_completion: to_completion.as_ref(),
            extensions: None,
            apart: false,
        };
        let span = message_span(id);
        let begun = start_handler(&span, cx, || routed.run());
        match begun {
            Ok(outcome) => self.finish_call(id, &span, outcome),
            Err(future) => self.park(Running::handler(index, id.keep(), span, left, to_completion, future), cx),
        }
    }

    /// Checks that one client does not use up the route's limit of detached handlers.
    fn may_run_to_completion(&self) -> Result<(), WsError> {
        let (limit, current) = (self.conn.config().max_detached_per_connection, self.conn.detached());
        if current < limit {
            return Ok(());
        }
        let error =
            WsError::resource_exhausted("too many requests of this connection still run after they were cancelled");
        Err(error.with_details(LimitReached { limit, current }))
    }

    /// Polls a hook for the first time. If it is pending, it keeps running.
    fn poll_new(&mut self, mut running: Running, cx: &mut Context<'_>) {
        if let Poll::Ready(outcome) = running.poll(cx) {
            return self.finish(&mut running, outcome);
        }
        self.running = Some(Box::new(running));
    }

    /// Keeps a handler that was pending at its first poll.
    fn park(&mut self, mut running: Box<Running>, cx: &mut Context<'_>) {
        running.count(self.conn.hub());
        if let Poll::Ready(outcome) = running.poll_timer(cx) {
            return self.finish(&mut running, outcome);
        }
        match running.what {
            Job::Call(route, _) if self.routing.table.get(route).options.concurrent > 0 => {
                // Polled once more, to register the waker of its place in the set.
                self.concurrent.get_or_insert_default().push(route, *running);
                self.poll_concurrent(cx);
            }
            _ => self.running = Some(running),
        }
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        let Refusal { error, message_type, correlation_id, is_rpc, is_bad } = refusal;
        self.fail(error, message_type, correlation_id.as_deref(), is_rpc);
        if is_bad {
            self.bad_in_a_row += 1;
            if self.bad_in_a_row == self.conn.config().max_bad_messages {
                self.conn.outbox.close(CloseCode::POLICY, "too many bad messages");
            }
        }
    }
}
