//! What a connection does about its messages, whatever carries them.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use switchboard_core::{CloseCode, WsError};

use super::{
    inbox::Inbox,
    incoming::{self, Incoming, Refusal, Work},
    running::{Outcome, Running, What, all},
};
use crate::{
    conn::ConnInner,
    encode,
    extract::ConnParts,
    handler::{self, CloseReason, Failure},
    router::{Call, Routing},
};

/// One handler or hook runs at a time; what arrives meanwhile waits in the inbox.
pub(super) struct Session<D: Send + Sync + 'static> {
    pub(super) conn: Arc<ConnInner<D>>,
    pub(super) routing: Arc<Routing<D>>,
    pub(super) running: Option<Box<Running>>,
    /// What the error hooks have not seen yet.
    pub(super) failures: VecDeque<Failure>,
    inbox: Inbox,
    bad_in_a_row: u32,
}

impl<D: Send + Sync + 'static> Session<D> {
    /// Begins with the hooks of the connection's start.
    pub(super) fn open(conn: Arc<ConnInner<D>>, routing: Arc<Routing<D>>) -> Self {
        conn.hub().connected();
        tracing::debug!(conn = %conn.id, "connected");
        let hooks = &routing.hooks.open;
        let timeout = conn.config().hook_timeout;
        let running =
            (!hooks.is_empty()).then(|| Box::new(Running::hook(What::Open, timeout, || all(&conn, hooks, ()))));
        Self { running, failures: VecDeque::new(), conn, routing, inbox: Inbox::default(), bad_in_a_row: 0 }
    }

    pub(super) fn begin_turn(&mut self) {
        if let Some(running) = &mut self.running {
            running.polled = false;
        }
    }

    /// Whether nothing should be read before something was handled.
    pub(super) fn is_full(&self) -> bool {
        self.inbox.is_full(self.conn.config())
    }

    /// Runs what there is to run until something is pending or nothing is left.
    pub(super) fn run(&mut self, cx: &mut Context<'_>) {
        while !self.conn.outbox.is_closed() {
            if self.running.is_none() && !self.start_error_hooks() {
                let Some((work, waited)) = self.inbox.pop() else { return };
                match work {
                    Work::Call(index, call) => self.start(Work::Call(index, call.as_call()), waited, cx),
                    Work::Refuse(refusal) => self.start(Work::Refuse(refusal), waited, cx),
                    Work::Text(text) => self.start(Work::Text(text), waited, cx),
                    Work::Binary(bytes) => self.start(Work::Binary(bytes), waited, cx),
                }
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
        let Poll::Ready(outcome) = running.poll(cx) else { return Poll::Pending };
        if let Some(running) = self.running.take() {
            self.finish(&running.what, outcome);
        }
        Poll::Ready(())
    }

    pub(super) fn accept_text(&mut self, text: &str, cx: &mut Context<'_>) {
        let incoming = incoming::text(&self.routing, text);
        self.accept(incoming, text.len(), cx);
    }

    pub(super) fn accept_binary(&mut self, frame: &[u8], cx: &mut Context<'_>) {
        let incoming = incoming::binary(&self.routing, frame);
        self.accept(incoming, frame.len(), cx);
    }

    fn accept(&mut self, incoming: Incoming<'_>, bytes: usize, cx: &mut Context<'_>) {
        match incoming {
            Incoming::Work(work) => self.accept_work(work, bytes, cx),
            Incoming::Abort(id) => self.abort(&id),
            Incoming::Heartbeat => {
                self.conn.push(encode::heartbeat_ack());
            }
            Incoming::Ignored => {}
        }
    }

    fn accept_work(&mut self, mut work: Work<Call<'_>>, bytes: usize, cx: &mut Context<'_>) {
        let idle = self.running.is_none() && self.failures.is_empty() && self.inbox.is_empty();
        if idle {
            return self.start(work, Duration::ZERO, cx);
        }
        if let Some(id) = work.request()
            && let Some(text) = id.correlation_id()
            && (self.running.as_ref().is_some_and(|running| running.is_request(text)) || self.inbox.contains_id(text))
        {
            // Uncorrelated: a correlated error would settle the first request.
            let error = WsError::already_exists("a request with this correlationId is in flight")
                .with_detail("correlationId", text);
            work = Work::Refuse(Refusal {
                error,
                message_type: Some(id.message_type),
                correlation_id: None,
                is_rpc: false,
                is_bad: false,
            });
        }
        self.inbox.push(work.keep(), bytes);
    }

    /// Does `work`, or makes what is left of it what is running.
    fn start(&mut self, work: Work<Call<'_>>, waited: Duration, cx: &mut Context<'_>) {
        if !matches!(work, Work::Refuse(Refusal { is_bad: true, .. })) {
            self.bad_in_a_row = 0;
        }
        let (conn, timeout) = (&self.conn, self.conn.config().handler_timeout);
        let running = match work {
            Work::Call(index, call) => return self.call(index, call, waited, cx),
            Work::Refuse(refusal) => return self.refuse(refusal),
            Work::Text(text) => {
                let hook = self.routing.hooks.text.as_ref();
                hook.map(|named| Running::hook(What::Text, timeout, || named.hook.call(conn, text)))
            }
            Work::Binary(bytes) => {
                let hook = self.routing.hooks.binary.as_ref();
                hook.map(|named| Running::hook(What::Binary, timeout, || named.hook.call(conn, bytes)))
            }
        };
        if let Some(running) = running {
            self.poll_new(running, cx);
        }
    }

    fn call(&mut self, index: usize, call: Call<'_>, waited: Duration, cx: &mut Context<'_>) {
        self.bad_in_a_row = 0;
        let config = self.conn.config();
        let timeout = call.timeout.map_or(config.handler_timeout, |asked| asked.min(config.max_request_timeout));
        if waited >= timeout {
            return self.finish(&What::Call(call.id), Outcome::TimedOut);
        }
        let route = self.routing.table.get(index);
        let conn = ConnParts::new(Arc::clone(&self.conn), route.scope.clone());
        let id = call.id.clone();
        let running = Running::handler(id, timeout - waited, || (route.handler)(handler::Incoming { conn, call }));
        self.poll_new(running, cx);
    }

    /// What is ready at its first poll is done with; the rest goes on running.
    fn poll_new(&mut self, mut running: Running, cx: &mut Context<'_>) {
        match running.poll(cx) {
            Poll::Ready(outcome) => self.finish(&running.what, outcome),
            Poll::Pending => self.running = Some(Box::new(running)),
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        let Refusal { error, message_type, correlation_id, is_rpc, is_bad } = refusal;
        self.fail(error, message_type, correlation_id.as_deref(), is_rpc);
        if is_bad {
            self.bad_in_a_row += 1;
            if self.bad_in_a_row == self.conn.config().max_bad_messages {
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

    /// Drops what runs and waits; runs the close hooks.
    pub(super) fn end(&mut self, reason: &CloseReason) {
        tracing::debug!(conn = %self.conn.id, code = %reason.code(), "disconnected");
        self.inbox = Inbox::default();
        let (conn, hooks) = (&self.conn, &self.routing.hooks.close);
        let timeout = conn.config().hook_timeout;
        // A handler that is still running is dropped here.
        self.running = (!hooks.is_empty())
            .then(|| Box::new(Running::hook(What::Close, timeout, || all(conn, hooks, reason.clone()))));
    }
}
