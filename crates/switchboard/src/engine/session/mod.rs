//! Handles the messages of one connection, independent of the transport.

mod accept;
mod auth_hooks;
mod ending;
mod limits;
mod start;

use std::{
    collections::VecDeque,
    future::Future as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use switchboard_core::{CloseCode, WsError};
use tokio::time::{Sleep, sleep_until};

use super::{
    budget::{self, Wariness},
    concurrent::ConcurrentHandlers,
    inbox::Inbox,
    incoming::Work,
    rates::Rates,
    running::{Job, Outcome, Running, run_until_error},
    throttle::Throttle,
};
use crate::{
    conn::{ConnInner, Signal},
    dispatch::Routing,
    handler::Failure,
    hub::Check,
    metrics,
    request::{AsCall as _, OwnedCall},
};

/// Runs one handler or hook at a time, in order, and the handlers of concurrent routes beside it.
/// Messages that arrive meanwhile wait in the inbox.
pub(crate) struct Session<D: Send + Sync + 'static> {
    pub(super) conn: Arc<ConnInner<D>>,
    pub(super) routing: Arc<Routing<D>>,
    /// The handler or hook that runs in order.
    pub(super) running: Option<Box<Running>>,
    concurrent: Option<Box<ConcurrentHandlers>>,
    /// Refresh or reauthorization hooks. They run beside handlers; nothing new starts before they
    /// complete.
    auth_hooks: Option<Box<Running>>,
    /// Failures that the error hooks have not seen yet.
    #[expect(clippy::box_collection, reason = "few connections ever have one")]
    pub(super) failures: Option<Box<VecDeque<Failure>>>,
    inbox: Inbox,
    /// Fires at the earliest deadline in the inbox.
    inbox_timer: Option<Pin<Box<Sleep>>>,
    bad_in_a_row: u32,
    /// Messages are refused, and the connection closes once nothing runs.
    draining: bool,
    /// No application code runs: the upgrade was refused, or the close hooks have started.
    refused: bool,
    /// A message has arrived in this turn.
    touched: bool,
    /// The queue was empty when this turn began.
    clear: bool,
    /// The connection was throttled when that was last checked.
    throttled: bool,
    pub(super) wariness: Wariness,
    rates: Rates,
    throttle: Option<Box<Throttle>>,
}

impl<D: Send + Sync + 'static> Session<D> {
    /// Starts a session with its `on_open` hooks.
    pub(crate) fn open(conn: Arc<ConnInner<D>>, routing: Arc<Routing<D>>) -> Self {
        let (hub, config) = (conn.hub(), conn.config());
        metrics::opened();
        tracing::debug!("connected");
        let checks = [
            (config.ping_interval, Check::Ping),
            (config.identify_timeout, Check::Identified),
            (config.reauthorize_interval, Check::Reauthorize),
        ];
        for (after, check) in checks {
            if let Some(after) = after {
                hub.schedule(&*conn, after, check);
            }
        }
        let hooks = &routing.hooks.open;
        let timeout = config.hook_timeout;
        let running = (!hooks.is_empty())
            .then(|| Box::new(Running::hook(Job::Open, timeout, || run_until_error(&conn, hooks, ()))));
        Self { running, ..Self::refused(conn, routing) }.accepted()
    }

    /// Creates the session of a connection that is already closed and runs nothing.
    pub(crate) fn refused(conn: Arc<ConnInner<D>>, routing: Arc<Routing<D>>) -> Self {
        Self {
            running: None,
            concurrent: None,
            auth_hooks: None,
            failures: None,
            conn,
            routing,
            inbox: Inbox::default(),
            inbox_timer: None,
            bad_in_a_row: 0,
            draining: false,
            refused: true,
            touched: false,
            clear: false,
            throttled: false,
            wariness: Wariness::default(),
            rates: Rates::default(),
            throttle: None,
        }
    }

    fn accepted(mut self) -> Self {
        self.refused = false;
        self
    }

    /// Starts a turn. `clear`: whether the queue is empty.
    pub(super) fn begin_turn(&mut self, clear: bool) {
        (self.touched, self.clear, self.throttled) = (false, clear, false);
        self.wariness.begin_turn();
        for running in [&mut self.running, &mut self.auth_hooks].into_iter().flatten() {
            running.polled = false;
        }
        self.begin_throttling();
        if self.conn.has_signals() {
            self.take_signals();
        }
    }

    /// Whether the inbox is full, so that the socket is not read.
    pub(super) fn is_full(&mut self) -> bool {
        let config = self.conn.config();
        if !self.inbox.is_full(config) {
            return false;
        }
        match self.conn.pending_calls() {
            // Reading continues, so that the answer can arrive.
            Some(_) if !self.inbox.is_overfull(config) => false,
            Some(calls) => {
                calls.overload();
                true
            }
            None => true,
        }
    }

    /// Returns the number of requests in flight, running or waiting.
    fn requests(&self) -> usize {
        let running = self.running.as_ref().is_some_and(|running| running.request().is_some());
        let concurrent = self.concurrent.as_ref().map_or(0, |concurrent| concurrent.requests().count());
        usize::from(running) + concurrent + self.inbox.requests()
    }

    /// Whether a request with this id is in flight.
    fn has_request(&self, id: &str) -> bool {
        [&self.running, &self.auth_hooks].into_iter().flatten().any(|running| running.answers_under(id))
            || self
                .concurrent
                .as_ref()
                .is_some_and(|concurrent| concurrent.requests().any(|one| one.correlation_id == Some(id)))
            || self.inbox.contains_id(id)
    }

    /// Obeys signals of other tasks.
    fn take_signals(&mut self) {
        if self.conn.is_told(Signal::Drain) && !self.draining {
            self.draining = true;
            while let Some((work, _)) = self.inbox.pop(|_| true) {
                self.reject(work);
            }
        }
    }

    /// Refuses a message because the server is restarting.
    fn reject(&mut self, work: Work<OwnedCall>) {
        let error = || WsError::unavailable("the server is restarting");
        match work {
            Work::Call(_, call) => self.fail_request(error(), call.as_call().id()),
            Work::Refresh(_, id) => self.fail(error(), None, Some(&id), true),
            Work::Refuse(refusal) => self.refuse(refusal),
            Work::Text(_) | Work::Binary(_) | Work::Fallback(_) => self.fail(error(), None, None, false),
        }
    }

    /// Runs handlers and hooks until all are pending, none is left, or the turn's budget is spent.
    #[inline]
    pub(super) fn run(&mut self, cx: &mut Context<'_>) {
        // Most often the last handler completed at once, and there is nothing to run.
        if !self.is_free() || self.inbox_timer.is_some() || self.conn.has_signals() {
            self.run_all(cx);
        }
    }

    #[inline(never)]
    fn run_all(&mut self, cx: &mut Context<'_>) {
        while !self.conn.outbox.is_closed() && !budget::is_spent() {
            self.poll_concurrent(cx);
            self.poll_auth_hooks(cx);
            if self.running.is_none() && !self.start_error_hooks() {
                if !self.start_next(cx) {
                    break;
                }
            } else if self.poll_running(cx).is_pending() && !self.start_next(cx) {
                break;
            }
            budget::look();
        }
        self.poll_inbox_timer(cx);
        if self.draining && self.running.is_none() && self.concurrent.is_none() && self.auth_hooks.is_none() {
            self.conn.outbox.close(CloseCode::RESTART, "server restarting");
        }
    }

    /// Answers messages whose deadline passed in the inbox, without waiting for those before them.
    fn poll_inbox_timer(&mut self, cx: &mut Context<'_>) {
        let Some(mut earliest) = self.inbox.earliest() else {
            self.inbox_timer = None;
            return;
        };
        let mut timer = self.inbox_timer.take().unwrap_or_else(|| Box::pin(sleep_until(earliest)));
        loop {
            if timer.deadline() != earliest {
                timer.as_mut().reset(earliest);
            }
            if timer.as_mut().poll(cx).is_pending() {
                self.inbox_timer = Some(timer);
                return;
            }
            while let Some(work) = self.inbox.take_late() {
                if let Work::Call(_, call) = work {
                    self.finish_call(call.as_call().id(), &tracing::Span::none(), Outcome::TimedOut);
                }
            }
            match self.inbox.earliest() {
                Some(next) => earliest = next,
                None => return,
            }
        }
    }

    /// Starts the first waiting message that may run now. Returns `false` if there is none.
    fn start_next(&mut self, cx: &mut Context<'_>) -> bool {
        if self.inbox.is_empty() {
            return false;
        }
        let paused = self.is_paused();
        let in_order = self.running.is_none() && !paused;
        let opening = self.is_opening() || paused;
        let auth_hooks = self.can_run_auth_hooks();
        let (concurrent, table) = (&self.concurrent, &self.routing.table);
        let next = self.inbox.pop(|work| match work {
            Work::Refresh(..) => auth_hooks,
            Work::Call(index, _) if table.get(*index).options.concurrent > 0 => {
                !opening && has_slot(concurrent.as_deref(), *index, table.get(*index).options.concurrent)
            }
            _ => in_order,
        });
        let Some((work, waited)) = next else { return false };
        self.start(work, waited, cx);
        true
    }

    /// Whether the `on_open` hooks are still running, for which all messages wait.
    fn is_opening(&self) -> bool {
        self.running.as_ref().is_some_and(|running| matches!(running.what, Job::Open))
    }

    fn poll_concurrent(&mut self, cx: &mut Context<'_>) {
        while let Some(concurrent) = &mut self.concurrent {
            let Poll::Ready(done) = concurrent.poll(cx) else { return };
            let Some((mut running, outcome)) = done else {
                self.concurrent = None;
                return;
            };
            if let Job::Call(route, _) = &running.what {
                concurrent.finished(*route);
                self.finish(&mut running, outcome);
            }
            // Once the budget is spent, the remaining handlers yield until the next turn.
            budget::look();
            if self.concurrent.as_ref().is_some_and(|concurrent| concurrent.is_empty()) {
                self.concurrent = None;
            }
        }
    }

    /// Polls what runs in order. Ready if nothing does any more.
    pub(super) fn poll_running(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(running) = &mut self.running else { return Poll::Ready(()) };
        if running.polled {
            return Poll::Pending;
        }
        let Poll::Ready(outcome) = running.poll(cx) else { return Poll::Pending };
        if let Some(mut running) = self.running.take() {
            self.finish(&mut running, outcome);
        }
        Poll::Ready(())
    }

    /// Polls everything while the connection closes. Ready once nothing runs.
    pub(super) fn poll_remaining(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_concurrent(cx);
        self.poll_auth_hooks(cx);
        while self.poll_running(cx).is_ready() {
            if !self.start_error_hooks() {
                return if self.concurrent.is_none() { Poll::Ready(()) } else { Poll::Pending };
            }
        }
        Poll::Pending
    }

    /// Handles `$ws:abort`. Unknown ids, as of completed requests, are ignored.
    fn abort(&mut self, correlation_id: &str) {
        let (conn, routing) = (&self.conn, &self.routing);
        let cancel = |running: &mut Running| {
            running.record("CANCELLED");
            running.cancel(|future, span| routing.detach(conn, future, span))
        };
        let what = if let Some(mut running) = self.running.take_if(|running| running.is_request(correlation_id)) {
            Some(cancel(&mut running))
        } else {
            self.concurrent.as_mut().and_then(|concurrent| concurrent.abort(correlation_id, cancel))
        };
        let error = WsError::cancelled("the request was aborted");
        match what {
            Some(Job::Call(_, id)) => self.fail_request(error, id.id()),
            Some(_) => {}
            None => {
                if let Some(Work::Call(_, call)) = self.inbox.remove_request(correlation_id) {
                    self.fail_request(error, call.as_call().id());
                }
            }
        }
    }
}

fn has_slot(concurrent: Option<&ConcurrentHandlers>, route: usize, limit: usize) -> bool {
    concurrent.is_none_or(|concurrent| concurrent.of_route(route) < limit)
}

/// Returns the time left until a handler's deadline.
fn left(timeout: Duration, waited: Duration) -> Option<Duration> {
    timeout.checked_sub(waited).filter(|left| !left.is_zero())
}
