//! A connection's task.

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

/// How many frames one turn reads before it writes and lets other tasks run, if it does not come to
/// the end of its time before.
const FRAMES_PER_TURN: u32 = 256;

/// How often one turn writes what others have queued meanwhile.
const WRITES_PER_TURN: u32 = 16;

/// The future of a connection's whole life.
pub(crate) struct Driver<D: Send + Sync + 'static, T: Transport> {
    /// `None` once the connection has ended: the socket is closed before the last hooks run.
    transport: Option<T>,
    session: Session<D>,
    phase: Phase,
    goodbye: CloseHooks,
    /// Which message is half-way, and until when it may be.
    unfinished: Option<(u32, Pin<Box<Sleep>>)>,
}

/// How far the application's part of the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CloseHooks {
    Unsaid,
    /// Hooks run.
    Saying,
    Said,
}

enum Phase {
    Serving,
    Closing(Box<Closing>),
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
    pub(crate) fn new(transport: T, session: Session<D>) -> Self {
        Self {
            transport: Some(transport),
            session,
            phase: Phase::Serving,
            goodbye: CloseHooks::Unsaid,
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
                        // The application need not wait for the peer to hang up.
                        _ = self.say_goodbye(&reason, cx);
                    }
                    closed.map(|()| Phase::Ended(reason))
                }
                Phase::Ended(reason) => {
                    let reason = reason.clone();
                    // The socket is closed before the last hooks are waited for.
                    self.close_socket();
                    self.say_goodbye(&reason, cx).map(|()| Phase::Done)
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

    /// Reads, handles and writes; ready once the connection is to be closed.
    fn serve(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        let Some(transport) = &mut self.transport else { return Poll::Ready(Phase::Done) };
        let session = &mut self.session;
        let mut end = read_and_handle(transport, session, cx);
        let reads = !session.is_full();
        if end.is_none() && watch(&mut self.unfinished, transport.partial().filter(|_| reads), session, cx) {
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
            // Closing wakes this task, so a look without the lock is enough.
            if outbox.is_closed()
                && let Some(closing) = outbox.closing()
            {
                return Poll::Ready(Phase::Closing(Box::new(Closing::by_us(&closing, true, session.conn.config()))));
            }
            if written.is_pending() && session.poll_stall(cx) {
                session.conn.outbox.overflow();
                continue;
            }
            if session.is_let_go() {
                budget::yield_turn(cx);
            }
            if session.conn.outbox.end_turn(written.is_pending()) {
                return Poll::Pending;
            }
        }
        budget::yield_turn(cx);
        Poll::Pending
    }

    /// After a panic: goes on with what comes next at the end of a connection, in its next turn. What
    /// has panicked is not tried again.
    fn break_off(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let conn = &self.session.conn;
        self.phase = match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Serving => {
                conn.outbox.close(CloseCode::SERVER_ERROR, "internal error");
                conn.subscriptions.lock().retire();
                let closing = conn.outbox.closing();
                match closing {
                    // What was read is in disorder: nothing is taken in any more.
                    Some(closing) => Phase::Closing(Box::new(Closing::by_us(&closing, false, conn.config()))),
                    None => Phase::Ended(CloseReason::new(CloseCode::ABNORMAL, "", ClosedBy::Lost)),
                }
            }
            Phase::Closing(mut closing) => {
                if closing.goes_on() {
                    Phase::Closing(closing)
                } else {
                    Phase::Ended(closing.reason().clone())
                }
            }
            Phase::Ended(reason) => {
                if self.goodbye == CloseHooks::Saying {
                    self.goodbye = CloseHooks::Said;
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
            // Nobody else keeps the socket open.
            self.session.conn.outbox.detach();
            drop(transport);
            self.unfinished = None;
        }
    }

    /// Runs the close hooks, then ends the subscriptions.
    fn say_goodbye(&mut self, reason: &CloseReason, cx: &mut Context<'_>) -> Poll<()> {
        if self.goodbye == CloseHooks::Unsaid {
            self.session.conn.outbox.detach();
            // Were there a panic in it, it would be called again, and begin where it ended.
            self.session.end(reason);
            self.goodbye = CloseHooks::Saying;
        }
        if self.goodbye == CloseHooks::Said {
            return Poll::Ready(());
        }
        if self.session.poll_running(cx).is_pending() {
            return Poll::Pending;
        }
        self.goodbye = CloseHooks::Said;
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
                pace.before();
                session.accept_text(text, cx);
                pace.after(text.len());
            }
            Received::Binary(frame) => {
                if !session.touch() {
                    return None;
                }
                pace.before();
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
    // There may be more.
    budget::yield_turn(cx);
    None
}

/// Watches the age of what is half-way. `true` once it is too old.
fn watch<D: Send + Sync + 'static>(
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
            // Somebody may have closed it a moment before: that reason counts.
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
        // Handlers and hooks have guards of their own, after which the connection goes on. This is for
        // whatever else of the application's may panic.
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

/// Dropped before its end, as when the runtime shuts down: what is shared must not keep it.
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
