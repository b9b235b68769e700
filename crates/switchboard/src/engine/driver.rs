//! A connection's task.

use std::{
    collections::VecDeque,
    error::Error as _,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use switchboard_core::{CloseCode, ErrorCode, WsError};

use super::{
    closing::Closing,
    inbox::Inbox,
    incoming::{self, Incoming, Refusal, Work},
    running::{Outcome, Running, What, all},
};
use crate::{
    clock,
    conn::ConnInner,
    encode,
    extract::{ConnParts, MessageParts},
    handler::{CloseReason, ClosedBy, Failure},
    router::{Call, Routing},
    transport::{Broken, Frame, Received, Transport},
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
    routing: Arc<Routing<D>>,
    phase: Phase,
    inbox: Inbox,
    bad_in_a_row: u32,
}

/// Frames on their way from the queue to the transport.
#[derive(Default)]
pub(super) struct Outgoing {
    batch: VecDeque<Frame>,
    /// What the transport was given since its last complete flush.
    handed: usize,
    unflushed: bool,
    /// The transport takes no more at the moment.
    blocked: bool,
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
            if let Some(closing) = self.conn.outbox.closing() {
                return Poll::Ready(Phase::Closing(Some(Closing::by_us(&closing, true, &self.conn.config))));
            }
            if self.conn.outbox.end_turn(!written, cx) {
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
            if self.running.is_none() {
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
        let Poll::Ready(outcome) = running.poll(cx) else { return Poll::Pending };
        if let Some(running) = self.running.take() {
            self.finish(&running.what, outcome);
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
            && (self.running.as_ref().is_some_and(|running| running.is_request(id)) || self.inbox.contains_request(id))
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
        if self.running.is_none() && self.inbox.is_empty() {
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
        let timeout = call.timeout.unwrap_or(config.handler_timeout).min(config.max_request_timeout);
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

    fn finish(&mut self, what: &What, outcome: Outcome) {
        let error = match outcome {
            Outcome::Done(Ok(reply)) => {
                if let Some(frame) = reply {
                    self.conn.outbox.push_reply(frame);
                }
                return;
            }
            Outcome::Done(Err(error)) => error,
            Outcome::Panicked(text) => WsError::internal(format!("panicked: {text}")),
            Outcome::TimedOut => WsError::deadline_exceeded("the deadline has passed"),
        };
        match what {
            What::Call(id) => self.fail(error, Some(id.message_type), id.correlation_id(), id.is_rpc),
            What::Binary if self.routing.hooks.text.is_none() => self.fail(error, None, None, false),
            // A protocol of the application's own: it alone knows what an error looks like.
            What::Text | What::Binary => {
                self.log(&error, None);
                self.tell(None, error);
            }
            What::Open => {
                self.log(&error, Some("on_open"));
                self.conn.outbox.close(CloseCode::SERVER_ERROR, "the connection could not be set up");
            }
            What::Error => self.log(&error, Some("on_error")),
            What::Close => self.log(&error, Some("on_close")),
        }
    }

    fn fail(&mut self, error: WsError, message_type: Option<&'static str>, correlation_id: Option<&str>, is_rpc: bool) {
        if let Some(frame) = encode::error(&error, correlation_id, is_rpc) {
            self.conn.outbox.push_reply(frame);
        }
        self.log(&error, message_type);
        self.tell(message_type, error);
    }

    /// Lets the error hooks know. They run before the next message is handled.
    fn tell(&mut self, message_type: Option<&'static str>, error: WsError) {
        let hooks = &self.routing.hooks.error;
        if hooks.is_empty() || self.running.is_some() {
            return;
        }
        let (conn, timeout) = (&self.conn, self.conn.config.hook_timeout);
        let failure = Failure::new(message_type, error);
        self.running = Some(Running::hook(What::Error, timeout, || all(conn, hooks, failure)));
    }

    fn log(&self, error: &WsError, what: Option<&str>) {
        let conn = self.conn.id;
        if *error.code() == ErrorCode::Internal {
            let source = error.source().map(tracing::field::display);
            tracing::error!(%conn, what, source, "{}", error.message());
        } else {
            tracing::debug!(%conn, what, "{error}");
        }
    }

    /// Hands what is queued to the transport and flushes it. `false` if it does not take more now.
    pub(super) fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, Broken> {
        let Some(transport) = &mut self.transport else { return Err(Broken) };
        let out = &mut self.outgoing;
        loop {
            if out.batch.is_empty() {
                self.conn.outbox.take(&mut out.batch);
                if out.batch.is_empty() {
                    break;
                }
            }
            let Poll::Ready(ready) = transport.poll_ready(cx) else {
                out.blocked = true;
                return Ok(false);
            };
            ready?;
            if std::mem::take(&mut out.blocked) {
                // It is ready again only once all that it had was flushed.
                self.conn.outbox.written(std::mem::take(&mut out.handed));
            }
            if let Some(frame) = out.batch.pop_front() {
                out.handed += frame.cost();
                transport.queue(frame)?;
                out.unflushed = true;
            }
        }
        if !out.unflushed {
            return Ok(true);
        }
        let Poll::Ready(flushed) = transport.poll_flush(cx) else { return Ok(false) };
        flushed?;
        out.unflushed = false;
        out.blocked = false;
        self.conn.outbox.written(std::mem::take(&mut out.handed));
        Ok(true)
    }

    /// Drops what was taken from the queue and not given to the transport.
    pub(super) fn forget_batch(&mut self) {
        self.outgoing.batch = VecDeque::new();
    }

    /// Runs the close hooks, then ends the subscriptions.
    fn say_goodbye(&mut self, reason: &CloseReason, cx: &mut Context<'_>) -> Poll<()> {
        if self.transport.take().is_some() {
            tracing::debug!(conn = %self.conn.id, code = %reason.code(), "disconnected");
            self.forget_batch();
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
        this.conn.outbox.begin_turn();
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
