//! The task of a connection.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use switchboard_core::CloseCode;
use tokio::time::{Sleep, sleep};

use super::{
    budget::{self, Pace},
    closing::Closing,
    session::Session,
};
use crate::{
    fanout::turn::{self, Turn},
    guard::log_panic,
    handler::{CloseReason, ClosedBy},
    outbox,
    transport::{Broken, PartialMessage, Received, Scratch, Transport},
};

/// How many frames one turn reads at most before it writes and lets other tasks run.
const FRAMES_PER_TURN: u32 = 256;

/// How often one turn writes frames that other tasks queue meanwhile.
const WRITES_PER_TURN: u32 = 16;

/// Runs a connection from its start to its end.
pub(crate) struct Driver<D: Send + Sync + 'static, T: Transport> {
    /// `None` once the connection has ended: the socket is closed before the last hooks complete.
    transport: Option<T>,
    session: Session<D>,
    phase: Phase,
    close_hooks: CloseHooks,
    /// The number of the message that has arrived in part, and its deadline.
    unfinished: Option<(u32, Pin<Box<Sleep>>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CloseHooks {
    NotStarted,
    Running,
    Done,
}

enum Phase {
    Serving,
    Closing(Box<Closing>),
    /// The socket is closed; close hooks run.
    Ended(CloseReason),
    Done,
}

/// Why the connection is no longer read.
enum End {
    Peer(CloseCode, String),
    Violation(CloseCode, &'static str),
    Gone,
}

impl<D: Send + Sync + 'static, T: Transport> Driver<D, T> {
    pub(crate) fn new(transport: T, session: Session<D>) -> Self {
        Self {
            transport: Some(transport),
            session,
            phase: Phase::Serving,
            close_hooks: CloseHooks::NotStarted,
            unfinished: None,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let next = match &mut self.phase {
                Phase::Serving => self.serve(cx),
                Phase::Closing(closing) => {
                    let closed = match &mut self.transport {
                        Some(transport) => closing.poll(&mut self.session, transport, cx),
                        None => Poll::Ready(()),
                    };
                    let (reason, lingering) = (closing.reason().clone(), closing.is_lingering());
                    if closed.is_pending() && lingering {
                        // Close hooks need not wait for the peer to hang up.
                        _ = self.run_close_hooks(&reason, cx);
                    }
                    closed.map(|()| Phase::Ended(reason))
                }
                Phase::Ended(reason) => {
                    let reason = reason.clone();
                    // Close hooks may be slow: close the socket before waiting for them.
                    self.close_socket();
                    self.run_close_hooks(&reason, cx).map(|()| Phase::Done)
                }
                Phase::Done => return Poll::Ready(()),
            };
            match next {
                Poll::Ready(phase) => {
                    if matches!(self.phase, Phase::Serving) {
                        self.session.conn.subscriptions.lock().retire();
                    }
                    self.phase = phase;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Reads, handles and writes. Ready once the connection is to be closed.
    fn serve(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        let Some(transport) = &mut self.transport else { return Poll::Ready(Phase::Done) };
        let session = &mut self.session;
        let mut end = read_and_handle(transport, session, cx);
        let reads = !session.is_full();
        if end.is_none() && is_overdue(&mut self.unfinished, transport.partial().filter(|_| reads), session, cx) {
            end = Some(End::Violation(CloseCode::POLICY, "message not finished in time"));
        }
        for _ in 0..WRITES_PER_TURN {
            if let Some(end) = end.take() {
                return Poll::Ready(ended(end, session));
            }
            let written = transport.poll_write(&session.conn.outbox, cx);
            if matches!(written, Poll::Ready(Err(Broken))) {
                return Poll::Ready(ended(End::Gone, session));
            }
            if written.is_pending() {
                session.conn.hub().shed_if_due();
            }
            let outbox = &session.conn.outbox;
            // Closing wakes this task, so the flag can be read without the lock.
            if outbox.is_closed()
                && let Some(closing) = outbox.closing()
            {
                return Poll::Ready(Phase::Closing(Box::new(Closing::by_us(&closing, true, session.conn.config()))));
            }
            if written.is_pending() && session.poll_stall(cx) {
                session.conn.outbox.overflow();
                continue;
            }
            if session.is_resumed() {
                budget::yield_turn(cx);
            }
            if session.conn.outbox.end_turn(written.is_pending()) {
                return Poll::Pending;
            }
        }
        budget::yield_turn(cx);
        Poll::Pending
    }

    /// After a panic: moves on to the next phase of closing, without retrying what panicked.
    fn break_off(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let conn = &self.session.conn;
        self.phase = match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Serving => {
                conn.outbox.close(CloseCode::SERVER_ERROR, "internal error");
                conn.subscriptions.lock().retire();
                let closing = conn.outbox.closing();
                match closing {
                    // The decoder may be inconsistent: no further frames are decoded.
                    Some(closing) => Phase::Closing(Box::new(Closing::by_us(&closing, false, conn.config()))),
                    None => Phase::Ended(CloseReason::new(CloseCode::ABNORMAL, "", ClosedBy::Lost)),
                }
            }
            Phase::Closing(mut closing) => {
                if closing.survives_panic() {
                    Phase::Closing(closing)
                } else {
                    Phase::Ended(closing.reason().clone())
                }
            }
            Phase::Ended(reason) => {
                if self.close_hooks == CloseHooks::Running {
                    self.close_hooks = CloseHooks::Done;
                    conn.hub().disconnected(&**conn);
                }
                Phase::Ended(reason)
            }
            Phase::Done => return Poll::Ready(()),
        };
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn close_socket(&mut self) {
        if let Some(transport) = self.transport.take() {
            // The outbox holds the other handle of the socket.
            self.session.conn.outbox.detach();
            drop(transport);
            self.unfinished = None;
        }
    }

    /// Runs the close hooks, then ends the subscriptions.
    fn run_close_hooks(&mut self, reason: &CloseReason, cx: &mut Context<'_>) -> Poll<()> {
        if self.close_hooks == CloseHooks::NotStarted {
            self.session.conn.outbox.detach();
            // If it panics, it is called again; `end` then returns at once.
            self.session.end(reason);
            self.close_hooks = CloseHooks::Running;
        }
        if self.close_hooks == CloseHooks::Done {
            return Poll::Ready(());
        }
        if self.session.poll_running(cx).is_pending() {
            return Poll::Pending;
        }
        self.close_hooks = CloseHooks::Done;
        self.session.conn.hub().disconnected(&*self.session.conn);
        self.session.routing.idempotency.connection_ended(self.session.conn.id);
        Poll::Ready(())
    }
}

fn read_and_handle<D, T>(transport: &mut T, session: &mut Session<D>, cx: &mut Context<'_>) -> Option<End>
where
    D: Send + Sync + 'static,
    T: Transport,
{
    let mut scratch = Scratch::take();
    let end = read(transport, session, &mut scratch, cx);
    transport.keep(&mut scratch);
    end
}

fn read<D, T>(transport: &mut T, session: &mut Session<D>, scratch: &mut Scratch, cx: &mut Context<'_>) -> Option<End>
where
    D: Send + Sync + 'static,
    T: Transport,
{
    let mut pace = Pace::new(session.wariness.is_wary());
    for _ in 0..FRAMES_PER_TURN {
        session.run(cx);
        if session.conn.outbox.is_closed() {
            return None;
        }
        if budget::is_spent() {
            break;
        }
        if session.is_full() {
            session.conn.heartbeat.suspend();
            return transport.poll_gone(cx).is_ready().then_some(End::Gone);
        }
        session.conn.heartbeat.resume();
        if turn::is_ripe() && matches!(transport.poll_write(&session.conn.outbox, cx), Poll::Ready(Err(Broken))) {
            return Some(End::Gone);
        }
        let Poll::Ready(received) = transport.poll_recv(&session.conn.outbox, scratch, cx) else { return None };
        match received {
            Received::Text(text) => {
                if !session.touch() {
                    return None;
                }
                pace.before(text.len());
                session.accept_text(text, cx);
                pace.after(text.len());
            }
            Received::Binary(frame) => {
                if !session.touch() {
                    return None;
                }
                pace.before(frame.len());
                session.accept_binary(frame, cx);
                pace.after(frame.len());
            }
            Received::Nothing => {}
            Received::Ping | Received::Pong if !session.count_control() => {
                return Some(End::Violation(CloseCode::FLOOD, "too many control frames"));
            }
            Received::Ping => {}
            Received::Pong => session.conn.heartbeat.pong(),
            Received::Close(code, reason) => return Some(End::Peer(code, reason)),
            Received::Violation(code, reason) => return Some(End::Violation(code, reason)),
            Received::Gone => return Some(End::Gone),
        }
    }
    // There may be more to read.
    budget::yield_turn(cx);
    None
}

/// Watches the age of a partial message. Returns `true` once it exceeds
/// [`message_timeout`](crate::Config::message_timeout).
fn is_overdue<D: Send + Sync + 'static>(
    unfinished: &mut Option<(u32, Pin<Box<Sleep>>)>,
    partial: Option<PartialMessage>,
    session: &Session<D>,
    cx: &mut Context<'_>,
) -> bool {
    let Some(PartialMessage { number, bytes }) = partial else {
        *unfinished = None;
        return false;
    };
    session.conn.heartbeat.received(bytes);
    if unfinished.as_ref().is_none_or(|(watched, _)| *watched != number) {
        *unfinished = Some((number, Box::pin(sleep(session.conn.config().message_timeout))));
    }
    unfinished.as_mut().is_some_and(|(_, timer)| timer.as_mut().poll(cx).is_ready())
}

fn ended<D: Send + Sync + 'static>(end: End, session: &Session<D>) -> Phase {
    let (outbox, config) = (&session.conn.outbox, session.conn.config());
    match end {
        End::Peer(code, reason) => {
            outbox.close(code, &reason);
            let reason = CloseReason::new(code, &reason, ClosedBy::Client);
            Phase::Closing(Box::new(Closing::by_peer(reason, config)))
        }
        End::Violation(code, reason) => {
            outbox.close(code, reason);
            // If it was closed a moment before, that reason counts.
            let closing = outbox.closing().unwrap_or(outbox::Closing { code, reason: reason.into() });
            Phase::Closing(Box::new(Closing::by_us(&closing, false, config)))
        }
        End::Gone => {
            outbox.close(CloseCode::ABNORMAL, "");
            Phase::Ended(CloseReason::new(CloseCode::ABNORMAL, "", ClosedBy::Lost))
        }
    }
}

impl<D: Send + Sync + 'static, T: Transport> Future for Driver<D, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let outbox = &this.session.conn.outbox;
        let direct = outbox.begin_turn(cx);
        let _turn = Turn::begin(outbox, direct);
        // Panics of handlers and hooks are caught where they run, and the connection continues.
        // This is for other application code, such as a subscriber of the log.
        let done = catch_unwind(AssertUnwindSafe(|| {
            this.session.begin_turn(direct);
            this.turn(cx)
        }));
        this.session.wariness.note();
        done.unwrap_or_else(|panic| {
            log_panic("a connection's task", panic);
            this.break_off(cx)
        })
    }
}

/// Ends a connection whose task is dropped early, as when the runtime shuts down: it must leave the
/// hub and its topics.
impl<D: Send + Sync + 'static, T: Transport> Drop for Driver<D, T> {
    fn drop(&mut self) {
        if !matches!(self.phase, Phase::Done) {
            self.session.conn.outbox.close(CloseCode::ABNORMAL, "");
            self.session.abandon();
            let conn = &self.session.conn;
            conn.outbox.detach();
            conn.hub().disconnected(&**conn);
            self.session.routing.idempotency.connection_ended(conn.id);
        }
    }
}
