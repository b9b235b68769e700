//! A connection's task.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use switchboard_core::{CloseCode, WsError};

use super::{
    closing::Closing,
    inbox::Inbox,
    incoming::{self, Incoming, Refusal, Work},
    outgoing::Outgoing,
    running::{Outcome, Running, What, all},
};
use crate::{
    clock,
    conn::ConnInner,
    encode,
    extract::{ConnParts, MessageParts},
    handler::{CloseReason, ClosedBy, Failure},
    router::{Call, Routing},
    transport::{Broken, Received, Transport},
};

/// How many frames one turn reads before it writes and lets other tasks run.
const FRAMES_PER_TURN: u32 = 128;

/// The future of a connection's whole life.
pub(crate) struct Driver<D: Send + Sync + 'static, T: Transport> {
    pub(super) conn: Arc<ConnInner<D>>,
    /// `None` once the connection has ended: the socket is closed before the last hooks run.
    pub(super) transport: Option<T>,
    pub(super) running: Option<Running>,
    pub(super) outgoing: Outgoing,
    /// What the error hooks have not seen yet.
    pub(super) failures: VecDeque<Failure>,
    pub(super) routing: Arc<Routing<D>>,
    phase: Phase,
    inbox: Inbox,
    bad_in_a_row: u32,
}

enum Phase {
    Serving,
    Closing(Option<Closing>),
    /// The socket is closed; hooks run.
    Ended(CloseReason),
    Done,
}

/// Why serving ended.
enum End {
    Peer(CloseCode, String),
    Violation(CloseCode, &'static str),
    Gone,
}

impl<D: Send + Sync + 'static, T: Transport> Driver<D, T> {
    pub(crate) fn new(transport: T, conn: Arc<ConnInner<D>>, routing: Arc<Routing<D>>) -> Self {
        conn.hub.connected();
        tracing::debug!(conn = %conn.id, "connected");
        let hooks = &routing.hooks.open;
        let running =
            (!hooks.is_empty()).then(|| Running::hook(What::Open, conn.config.hook_timeout, || all(&conn, hooks, ())));
        Self {
            transport: Some(transport),
            running,
            outgoing: Outgoing::default(),
            failures: VecDeque::new(),
            conn,
            routing,
            phase: Phase::Serving,
            inbox: Inbox::default(),
            bad_in_a_row: 0,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let next = match &mut self.phase {
                Phase::Serving => self.serve(cx),
                Phase::Closing(closing) => {
                    // Taken out while it is worked on.
                    let Some(mut current) = closing.take() else { return Poll::Ready(()) };
                    if self.close(&mut current, cx).is_ready() {
                        Poll::Ready(Phase::Ended(current.into_reason()))
                    } else {
                        self.phase = Phase::Closing(Some(current));
                        Poll::Pending
                    }
                }
                Phase::Ended(reason) => {
                    let reason = reason.clone();
                    self.say_goodbye(&reason, cx).map(|()| Phase::Done)
                }
                Phase::Done => return Poll::Ready(()),
            };
            match next {
                Poll::Ready(phase) => self.phase = phase,
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Reads, handles and writes; ready once the connection is to be closed.
    fn serve(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        let mut end = self.read_and_handle(cx);
        loop {
            let written = match end {
                None => self.write(cx),
                Some(_) => Ok(true),
            };
            let written = written.unwrap_or_else(|Broken| {
                end = Some(End::Gone);
                true
            });
            if let Some(end) = end {
                return Poll::Ready(self.ended(end));
            }
            // Closing wakes this task, so a look without the lock is enough.
            if self.conn.outbox.is_closed()
                && let Some(closing) = self.conn.outbox.closing()
            {
                return Poll::Ready(Phase::Closing(Some(Closing::by_us(&closing, true, &self.conn.config))));
            }
            if self.conn.outbox.end_turn(!written) {
                return Poll::Pending;
            }
        }
    }

    fn ended(&mut self, end: End) -> Phase {
        let outbox = &self.conn.outbox;
        match end {
            End::Peer(code, reason) => {
                outbox.close(code, &reason);
                let reason = CloseReason::new(code, &reason, ClosedBy::Client);
                Phase::Closing(Some(Closing::by_peer(reason, &self.conn.config)))
            }
            End::Violation(code, reason) => {
                outbox.close(code, reason);
                // Somebody may have closed it a moment before: that reason counts.
                let closing = outbox.closing().unwrap_or(crate::conn::Closing { code, reason: reason.into() });
                Phase::Closing(Some(Closing::by_us(&closing, false, &self.conn.config)))
            }
            End::Gone => {
                outbox.close(CloseCode::ABNORMAL, "");
                Phase::Ended(CloseReason::new(CloseCode::ABNORMAL, "", ClosedBy::Lost))
            }
        }
    }

    fn read_and_handle(&mut self, cx: &mut Context<'_>) -> Option<End> {
        for _ in 0..FRAMES_PER_TURN {
            self.run(cx);
            if self.conn.outbox.is_closed() || self.inbox.is_full(&self.conn.config) {
                return None;
            }
            if self.hand_over(cx).is_err() {
                return Some(End::Gone);
            }
            let Some(transport) = &mut self.transport else { return Some(End::Gone) };
            let Poll::Ready(received) = transport.poll_recv(cx) else { return None };
            match received {
                Received::Text(text) => {
                    let bytes = text.as_str().len();
                    let incoming = incoming::text(&self.routing, text);
                    self.accept(incoming, bytes);
                }
                Received::Binary(frame) => {
                    let bytes = frame.len();
                    let incoming = incoming::binary(&self.routing, frame);
                    self.accept(incoming, bytes);
                }
                Received::Control => self.outgoing.unflushed = true,
                Received::Close(code, reason) => return Some(End::Peer(code, reason)),
                Received::Violation(code, reason) => return Some(End::Violation(code, reason)),
                Received::Gone => return Some(End::Gone),
            }
        }
        // What was read last is still to be handled, and there may be more.
        self.run(cx);
        cx.waker().wake_by_ref();
        None
    }

    /// Runs what there is to run until something is pending or nothing is left.
    fn run(&mut self, cx: &mut Context<'_>) {
        while !self.conn.outbox.is_closed() {
            if self.running.is_none() && !self.start_error_hooks() {
                let Some((work, waited)) = self.inbox.pop() else { return };
                self.start(work, waited);
            }
            if self.poll_running(cx).is_pending() {
                return;
            }
        }
    }

    /// Ready if nothing is running (any more).
    pub(super) fn poll_running(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(running) = &mut self.running else { return Poll::Ready(()) };
        if running.polled {
            return Poll::Pending;
        }
        match running.poll(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Outcome::Done(Ok(reply))) => {
                self.running = None;
                if let Some(frame) = reply {
                    self.reply(frame, cx);
                }
            }
            Poll::Ready(outcome) => {
                if let Some(running) = self.running.take() {
                    self.finish(&running.what, outcome);
                }
            }
        }
        Poll::Ready(())
    }

    fn accept(&mut self, incoming: Incoming, bytes: usize) {
        match incoming {
            Incoming::Work(work) => self.accept_work(work, bytes),
            Incoming::Abort(id) => self.abort(&id),
            Incoming::Heartbeat => {
                self.conn.outbox.push(encode::heartbeat_ack());
            }
            Incoming::Ignored => {}
        }
    }

    fn accept_work(&mut self, mut work: Work, bytes: usize) {
        if let Some(id) = work.call_id().filter(|id| id.is_rpc).and_then(|id| id.correlation_id())
            && (self.running.as_ref().is_some_and(|running| running.is_request(id)) || self.inbox.contains_id(id))
        {
            // Uncorrelated: a correlated error would settle the first request.
            let error = WsError::already_exists("a request with this correlationId is in flight")
                .with_detail("correlationId", id);
            work = Work::Refuse(Refusal {
                error,
                message_type: work.call_id().map(|id| id.message_type),
                correlation_id: None,
                is_rpc: false,
                is_bad: false,
            });
        }
        if self.running.is_none() && self.failures.is_empty() && self.inbox.is_empty() {
            self.start(work, Duration::ZERO);
        } else {
            self.inbox.push(work, bytes);
        }
    }

    /// Makes `work` what is running, unless there is nothing to run about it.
    fn start(&mut self, work: Work, waited: Duration) {
        if !matches!(work, Work::Refuse(Refusal { is_bad: true, .. })) {
            self.bad_in_a_row = 0;
        }
        let (conn, timeout) = (&self.conn, self.conn.config.handler_timeout);
        match work {
            Work::Call(index, call) => self.start_call(index, call, waited),
            Work::Refuse(refusal) => self.refuse(refusal),
            Work::Text(text) => {
                if let Some(named) = &self.routing.hooks.text {
                    let running = Running::hook(What::Text, timeout, || named.hook.call(conn, text));
                    self.running = Some(running);
                }
            }
            Work::Binary(bytes) => {
                if let Some(named) = &self.routing.hooks.binary {
                    let running = Running::hook(What::Binary, timeout, || named.hook.call(conn, bytes));
                    self.running = Some(running);
                }
            }
        }
    }

    fn start_call(&mut self, index: usize, call: Call, waited: Duration) {
        let config = &self.conn.config;
        let timeout = call.timeout.map_or(config.handler_timeout, |asked| asked.min(config.max_request_timeout));
        let id = call.id.clone();
        if waited >= timeout {
            self.finish(&What::Call(id), Outcome::TimedOut);
            return;
        }
        let route = self.routing.table.get(index);
        let conn = ConnParts::new(Arc::clone(&self.conn), route.scope.clone());
        let running = Running::handler(id, timeout - waited, || (route.handler)(MessageParts::new(conn, call)));
        self.running = Some(running);
    }

    fn refuse(&mut self, refusal: Refusal) {
        let Refusal { error, message_type, correlation_id, is_rpc, is_bad } = refusal;
        self.fail(error, message_type, correlation_id.as_deref(), is_rpc);
        if is_bad {
            self.bad_in_a_row += 1;
            if self.bad_in_a_row == self.conn.config.max_bad_messages {
                self.conn.outbox.close(CloseCode::POLICY, "too many bad messages");
            }
        }
    }

    /// `$ws:abort`: ids that are unknown, because the request is done for example, are ignored.
    fn abort(&mut self, correlation_id: &str) {
        let id = if self.running.as_ref().is_some_and(|running| running.is_request(correlation_id)) {
            match self.running.take().map(|mut running| std::mem::replace(&mut running.what, What::Error)) {
                Some(What::Call(id)) => id,
                _ => return,
            }
        } else {
            match self.inbox.remove_request(correlation_id) {
                Some(Work::Call(_, call)) => call.id,
                _ => return,
            }
        };
        let error = WsError::cancelled("the request was aborted");
        self.fail(error, Some(id.message_type), Some(correlation_id), true);
    }

    /// Runs the close hooks, then ends the subscriptions.
    fn say_goodbye(&mut self, reason: &CloseReason, cx: &mut Context<'_>) -> Poll<()> {
        if self.transport.take().is_some() {
            tracing::debug!(conn = %self.conn.id, code = %reason.code(), "disconnected");
            self.outgoing.forget();
            self.inbox = Inbox::default();
            let (conn, hooks) = (&self.conn, &self.routing.hooks.close);
            // A handler that is still running is dropped here.
            self.running = (!hooks.is_empty())
                .then(|| Running::hook(What::Close, conn.config.hook_timeout, || all(conn, hooks, reason.clone())));
        }
        if self.poll_running(cx).is_pending() {
            return Poll::Pending;
        }
        self.conn.hub.disconnected(&*self.conn);
        Poll::Ready(())
    }
}

impl<D: Send + Sync + 'static, T: Transport> Future for Driver<D, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let _turn = clock::Turn::begin();
        this.conn.outbox.begin_turn(cx);
        if let Some(running) = &mut this.running {
            running.polled = false;
        }
        this.turn(cx)
    }
}

/// Dropped before its end, as when the runtime shuts down: what is shared must not keep it.
impl<D: Send + Sync + 'static, T: Transport> Drop for Driver<D, T> {
    fn drop(&mut self) {
        if !matches!(self.phase, Phase::Done) {
            self.conn.outbox.close(CloseCode::ABNORMAL, "");
            self.conn.hub.disconnected(&*self.conn);
        }
    }
}
