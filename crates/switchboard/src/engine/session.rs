//! What a connection does about its messages, whatever carries them.

mod accept;
mod aside;
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
    concurrent::Beside,
    inbox::Inbox,
    incoming::Work,
    rates::Rates,
    running::{Job, Outcome, Running, all},
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

/// One handler or hook runs at a time, and beside it those of routes that asked for it; what arrives
/// meanwhile waits in the inbox.
pub(crate) struct Session<D: Send + Sync + 'static> {
    pub(super) conn: Arc<ConnInner<D>>,
    pub(super) routing: Arc<Routing<D>>,
    /// Messages are handled in order here.
    pub(super) running: Option<Box<Running>>,
    beside: Option<Box<Beside>>,
    /// A question about the connection itself, beside all that runs. Nothing new is begun before it is
    /// answered.
    aside: Option<Box<Running>>,
    /// What the error hooks have not seen yet.
    #[expect(clippy::box_collection, reason = "few connections ever have one")]
    pub(super) failures: Option<Box<VecDeque<Failure>>>,
    inbox: Inbox,
    /// Until the first deadline of what waits there.
    waiting: Option<Pin<Box<Sleep>>>,
    bad_in_a_row: u32,
    /// Nothing new is taken on: the connection closes once nothing runs.
    draining: bool,
    /// It is not the application's: it never was, or its end was told.
    refused: bool,
    /// Something has come in this turn.
    touched: bool,
    /// Nothing was queued when this turn began.
    clear: bool,
    /// More of its own waited at the last look than should.
    throttled: bool,
    pub(super) wariness: Wariness,
    rates: Rates,
    throttle: Option<Box<Throttle>>,
}

impl<D: Send + Sync + 'static> Session<D> {
    /// Begins with the hooks of the connection's start.
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
        let running =
            (!hooks.is_empty()).then(|| Box::new(Running::hook(Job::Open, timeout, || all(&conn, hooks, ()))));
        Self { running, ..Self::refused(conn, routing) }.accepted()
    }

    /// One that is closed already: there is nothing to be run.
    pub(crate) fn refused(conn: Arc<ConnInner<D>>, routing: Arc<Routing<D>>) -> Self {
        Self {
            running: None,
            beside: None,
            aside: None,
            failures: None,
            conn,
            routing,
            inbox: Inbox::default(),
            waiting: None,
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

    /// `clear`: whether nothing is queued.
    pub(super) fn begin_turn(&mut self, clear: bool) {
        (self.touched, self.clear, self.throttled) = (false, clear, false);
        self.wariness.begin_turn();
        for running in [&mut self.running, &mut self.aside].into_iter().flatten() {
            running.polled = false;
        }
        self.begin_throttling();
        if self.conn.has_signals() {
            self.listen();
        }
    }

    /// Whether nothing should be read before something was handled.
    pub(super) fn is_full(&mut self) -> bool {
        let config = self.conn.config();
        if !self.inbox.is_full(config) {
            return false;
        }
        match self.conn.pending_calls() {
            // Its answer may be behind what waits.
            Some(_) if !self.inbox.is_overfull(config) => false,
            Some(calls) => {
                calls.overload();
                true
            }
            None => true,
        }
    }

    /// How many requests are handled or wait to be.
    fn requests(&self) -> usize {
        let running = self.running.as_ref().is_some_and(|running| running.request().is_some());
        let beside = self.beside.as_ref().map_or(0, |beside| beside.requests().count());
        usize::from(running) + beside + self.inbox.requests()
    }

    /// Whether a request with this id is handled or waits to be.
    fn has_request(&self, id: &str) -> bool {
        [&self.running, &self.aside].into_iter().flatten().any(|running| running.answers_under(id))
            || self.beside.as_ref().is_some_and(|beside| beside.requests().any(|one| one.correlation_id == Some(id)))
            || self.inbox.contains_id(id)
    }

    /// Does what others have asked for.
    fn listen(&mut self) {
        if self.conn.is_told(Signal::Drain) && !self.draining {
            self.draining = true;
            while let Some((work, _)) = self.inbox.pop(|_| true) {
                self.reject(work);
            }
        }
    }

    /// Says that a message is not handled any more.
    fn reject(&mut self, work: Work<OwnedCall>) {
        let error = || WsError::unavailable("the server is restarting");
        match work {
            Work::Call(_, call) => self.fail_request(error(), call.as_call().id()),
            Work::Refresh(_, id) => self.fail(error(), None, Some(&id), true),
            Work::Refuse(refusal) => self.refuse(refusal),
            Work::Text(_) | Work::Binary(_) | Work::Fallback(_) => self.fail(error(), None, None, false),
        }
    }

    /// Runs what there is to run until something is pending, nothing is left or the turn has taken its
    /// time.
    #[inline]
    pub(super) fn run(&mut self, cx: &mut Context<'_>) {
        // As between any two messages that were handled at once.
        if !self.is_free() || self.waiting.is_some() || self.conn.has_signals() {
            self.run_all(cx);
        }
    }

    #[inline(never)]
    fn run_all(&mut self, cx: &mut Context<'_>) {
        while !self.conn.outbox.is_closed() && !budget::is_spent() {
            self.poll_beside(cx);
            self.poll_aside(cx);
            if self.running.is_none() && !self.start_error_hooks() {
                if !self.start_next(cx) {
                    break;
                }
            } else if self.poll_running(cx).is_pending() && !self.start_next(cx) {
                break;
            }
            budget::look();
        }
        self.poll_waiting(cx);
        if self.draining && self.running.is_none() && self.beside.is_none() && self.aside.is_none() {
            self.conn.outbox.close(CloseCode::RESTART, "server restarting");
        }
    }

    /// Answers what has waited too long: it need not wait for what is before it.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) {
        let Some(mut earliest) = self.inbox.earliest() else {
            self.waiting = None;
            return;
        };
        let mut timer = self.waiting.take().unwrap_or_else(|| Box::pin(sleep_until(earliest)));
        loop {
            if timer.deadline() != earliest {
                timer.as_mut().reset(earliest);
            }
            if timer.as_mut().poll(cx).is_pending() {
                self.waiting = Some(timer);
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

    /// Starts what waits first and may run now. `false` if there is nothing.
    fn start_next(&mut self, cx: &mut Context<'_>) -> bool {
        if self.inbox.is_empty() {
            return false;
        }
        let held = self.is_held();
        let in_order = self.running.is_none() && !held;
        let opening = self.is_opening() || held;
        let aside = self.may_ask();
        let (beside, table) = (&self.beside, &self.routing.table);
        let next = self.inbox.pop(|work| match work {
            Work::Refresh(..) => aside,
            Work::Call(index, _) if table.get(*index).options.concurrent > 0 => {
                !opening && has_place(beside.as_deref(), *index, table.get(*index).options.concurrent)
            }
            _ => in_order,
        });
        let Some((work, waited)) = next else { return false };
        self.start(work, waited, cx);
        true
    }

    /// Whether the hooks of the connection's start have not come to their end: everything waits.
    fn is_opening(&self) -> bool {
        self.running.as_ref().is_some_and(|running| matches!(running.what, Job::Open))
    }

    fn poll_beside(&mut self, cx: &mut Context<'_>) {
        while let Some(beside) = &mut self.beside {
            let Poll::Ready(done) = beside.poll(cx) else { return };
            let Some((mut running, outcome)) = done else {
                self.beside = None;
                return;
            };
            if let Job::Call(route, _) = &running.what {
                beside.left(*route);
                self.finish(&mut running, outcome);
            }
            // The rest has woken the task already, or is polled in its next turn.
            budget::look();
            if self.beside.as_ref().is_some_and(|beside| beside.is_empty()) {
                self.beside = None;
            }
        }
    }

    /// Ready if nothing is running (any more) of what is handled in order.
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

    /// While the connection closes: ready once nothing runs.
    pub(super) fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_beside(cx);
        self.poll_aside(cx);
        while self.poll_running(cx).is_ready() {
            if !self.start_error_hooks() {
                return if self.beside.is_none() { Poll::Ready(()) } else { Poll::Pending };
            }
        }
        Poll::Pending
    }

    /// `$ws:abort`: ids that are unknown, because the request is done for example, are ignored.
    fn abort(&mut self, correlation_id: &str) {
        let (conn, routing) = (&self.conn, &self.routing);
        let give_up = |running: &mut Running| {
            running.record("CANCELLED");
            running.give_up(|future, span| routing.detach(conn, future, span))
        };
        let what = if let Some(mut running) = self.running.take_if(|running| running.is_request(correlation_id)) {
            Some(give_up(&mut running))
        } else {
            self.beside.as_mut().and_then(|beside| beside.abort(correlation_id, give_up))
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

fn has_place(beside: Option<&Beside>, route: usize, limit: usize) -> bool {
    beside.is_none_or(|beside| beside.of_route(route) < limit)
}

/// What is left of a handler's time.
fn left(timeout: Duration, waited: Duration) -> Option<Duration> {
    timeout.checked_sub(waited).filter(|left| !left.is_zero())
}
