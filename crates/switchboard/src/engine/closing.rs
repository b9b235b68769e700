//! The closing handshake: writes the queue and the close frame, then waits for the peer's.
//!
//! A socket closed with unread input would send a reset, and the peer might never see the close
//! frame.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Sleep, sleep};

use super::{budget, session::Session};
use crate::{
    CloseReason, ClosedBy, Config, outbox,
    transport::{self, Broken, Received, Scratch, Transport},
};

/// How many bytes are discarded while waiting for the peer's close frame.
const DISCARD_LIMIT: usize = 256 * 1024;

/// How long to wait for the end of the stream after answering the peer's close frame. Most clients
/// end it at once; the others need only enough time for the answer to arrive.
const LINGER_AFTER_PEER: Duration = Duration::from_millis(250);

pub(super) struct Closing {
    stage: Stage,
    reason: CloseReason,
    /// Frames are still decoded, to see the peer's close frame.
    listening: bool,
    /// Handlers were cancelled.
    begun: bool,
    has_panicked: bool,
    discarded: usize,
    /// Limits the stages up to `Shutdown` together, and `Await`. `None` until first polled.
    timer: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    close_timeout: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Queued frames are written.
    Drain,
    /// The close frame is written.
    Flush,
    /// The write half is closed.
    Shutdown,
    /// The peer's close frame, or the end of the stream, is awaited.
    Await,
}

impl Closing {
    /// Starts closing from this side. `listening`: whether frames can still be decoded.
    pub(super) fn by_us(closing: &outbox::Closing, listening: bool, config: &Config) -> Self {
        let reason = CloseReason::new(closing.code, &closing.reason, ClosedBy::Server);
        Self::new(reason, listening, config)
    }

    /// Starts closing after the peer's close frame, which is answered with the same code.
    pub(super) fn by_peer(reason: CloseReason, config: &Config) -> Self {
        let closing = Self::new(reason, false, config);
        Self { close_timeout: closing.close_timeout.min(LINGER_AFTER_PEER), ..closing }
    }

    fn new(reason: CloseReason, listening: bool, config: &Config) -> Self {
        let (write_timeout, close_timeout) = (config.write_timeout, config.close_timeout);
        Self {
            stage: Stage::Drain,
            reason,
            listening,
            begun: false,
            has_panicked: false,
            discarded: 0,
            timer: None,
            write_timeout,
            close_timeout,
        }
    }

    /// Whether everything is written and only the peer is waited for.
    pub(super) fn is_lingering(&self) -> bool {
        self.stage == Stage::Await
    }

    /// Called after a panic: returns whether closing can continue, which it may once.
    pub(super) fn survives_panic(&mut self) -> bool {
        self.listening = false;
        !std::mem::replace(&mut self.has_panicked, true)
    }

    pub(super) fn reason(&self) -> &CloseReason {
        &self.reason
    }

    /// Ready once the socket can be dropped.
    pub(super) fn poll<D, T>(&mut self, session: &mut Session<D>, transport: &mut T, cx: &mut Context<'_>) -> Poll<()>
    where
        D: Send + Sync + 'static,
        T: Transport,
    {
        if !self.begun {
            self.begun = true;
            // One last poll: a handler that closed its connection may be about to reply.
            budget::begin(true);
            _ = session.poll_remaining(cx);
            session.cancel();
        }
        match self.poll_stages(session, transport, cx) {
            Poll::Pending if !self.is_late(transport, cx) => {
                session.conn.outbox.end_turn(true);
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    fn is_late<T: Transport>(&mut self, transport: &T, cx: &mut Context<'_>) -> bool {
        let timeout = match self.stage {
            Stage::Drain | Stage::Flush | Stage::Shutdown => self.write_timeout,
            Stage::Await => transport.max_linger().map_or(self.close_timeout, |max| max.min(self.close_timeout)),
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        timer.as_mut().poll(cx).is_ready()
    }

    /// Ready once all stages are done.
    fn poll_stages<D, T>(
        &mut self,
        session: &Session<D>,
        transport: &mut T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>>
    where
        D: Send + Sync + 'static,
        T: Transport,
    {
        let outbox = &session.conn.outbox;
        loop {
            match self.stage {
                Stage::Drain => {
                    ready!(transport.poll_write(outbox, cx))?;
                    let by_peer = self.reason.by() == ClosedBy::Client;
                    let reason = if by_peer { "" } else { self.reason.reason() };
                    transport.queue_close(outbox, self.reason.code(), reason)?;
                    self.stage = Stage::Flush;
                }
                Stage::Flush => {
                    ready!(transport.poll_write(outbox, cx))?;
                    self.stage = Stage::Shutdown;
                }
                Stage::Shutdown => {
                    ready!(transport.poll_shutdown(cx))?;
                    self.stage = Stage::Await;
                    self.timer = None;
                }
                Stage::Await => {
                    let mut scratch = Scratch::take();
                    ready!(self.poll_peer(outbox, transport, &mut scratch, cx));
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// Ready once the peer is done or has sent too much.
    fn poll_peer<T: Transport>(
        &mut self,
        outbox: &transport::Outbox,
        transport: &mut T,
        scratch: &mut Scratch,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        while self.discarded <= DISCARD_LIMIT {
            if !self.listening {
                match ready!(transport.poll_discard(scratch, cx)) {
                    0 => return Poll::Ready(()),
                    read => self.discarded += read,
                }
                continue;
            }
            let awaits_end = transport.awaits_end();
            let Poll::Ready(received) = transport.poll_recv(outbox, scratch, cx) else {
                transport.keep(scratch);
                return Poll::Pending;
            };
            self.discarded += match received {
                Received::Text(text) => text.len().max(1),
                Received::Binary(bytes) => bytes.len().max(1),
                // Count frames without payload too, so that they cannot go on forever.
                Received::Nothing | Received::Ping | Received::Pong => 1,
                Received::Gone => return Poll::Ready(()),
                Received::Close(..) if !awaits_end => return Poll::Ready(()),
                Received::Close(..) | Received::Violation(..) => {
                    self.listening = false;
                    0
                }
            };
        }
        Poll::Ready(())
    }
}
