//! The end of a connection: what is queued leaves, then the close frame, then the peer's answer is
//! waited for. A socket closed with unread input would send a reset, and the peer might never see
//! the close frame.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use switchboard_core::CloseCode;
use tokio::time::{Sleep, sleep};

use super::driver::Driver;
use crate::{
    CloseReason, ClosedBy, Config, conn,
    transport::{Broken, Received, Transport},
};

/// What is read and thrown away while the peer's close frame is waited for.
const DISCARD_LIMIT: usize = 256 * 1024;

/// How long a socket that cannot be read any more is kept, so that the close frame arrives.
const LINGER: Duration = Duration::from_millis(500);

pub(super) struct Closing {
    stage: Stage,
    reason: CloseReason,
    /// Whether the transport can still be read.
    readable: bool,
    discarded: usize,
    /// Bounds the stage. `None` until it is first polled.
    timer: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    close_timeout: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Queued frames leave.
    Drain,
    /// The close frame leaves.
    Flush,
    /// The peer's turn.
    Await,
}

impl Closing {
    /// This side closes, and sends a close frame.
    pub(super) fn by_us(closing: &conn::Closing, readable: bool, config: &Config) -> Self {
        let reason = CloseReason::new(closing.code, &closing.reason, ClosedBy::Server);
        Self::new(Stage::Drain, reason, readable, config)
    }

    /// The peer closes; the transport answers by itself when it is read on.
    pub(super) fn by_peer(reason: CloseReason, config: &Config) -> Self {
        Self::new(Stage::Await, reason, true, config)
    }

    fn new(stage: Stage, reason: CloseReason, readable: bool, config: &Config) -> Self {
        let (write_timeout, close_timeout) = (config.write_timeout, config.close_timeout);
        Self { stage, reason, readable, discarded: 0, timer: None, write_timeout, close_timeout }
    }

    pub(super) fn into_reason(self) -> CloseReason {
        self.reason
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        if stage == Stage::Await {
            self.timer = None;
        }
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let timeout = match self.stage {
            Stage::Drain | Stage::Flush => self.write_timeout,
            Stage::Await if self.readable => self.close_timeout,
            Stage::Await => self.close_timeout.min(LINGER),
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        timer.as_mut().poll(cx).is_ready()
    }
}

impl<D: Send + Sync + 'static, T: Transport> Driver<D, T> {
    /// Ready once the socket can be dropped.
    pub(super) fn close(&mut self, closing: &mut Closing, cx: &mut Context<'_>) -> Poll<()> {
        // A handler that closes its connection may still be about to reply.
        while self.poll_running(cx).is_ready() && self.start_error_hooks() {}
        match self.close_stages(closing, cx) {
            Ok(false) if !closing.is_late(cx) => {
                self.conn.outbox.end_turn(true);
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    /// `true` once all stages are through.
    fn close_stages(&mut self, closing: &mut Closing, cx: &mut Context<'_>) -> Result<bool, Broken> {
        if closing.stage == Stage::Drain {
            if closing.reason.code() == CloseCode::SLOW_CONSUMER {
                self.outgoing.forget();
            }
            if !self.write(cx)? {
                return Ok(false);
            }
            let Some(transport) = &mut self.transport else { return Err(Broken) };
            let Poll::Ready(ready) = transport.poll_ready(cx) else { return Ok(false) };
            ready?;
            transport.queue_close(closing.reason.code(), closing.reason.reason())?;
            closing.enter(Stage::Flush);
        }
        let Some(transport) = &mut self.transport else { return Err(Broken) };
        if closing.stage == Stage::Flush {
            let Poll::Ready(flushed) = transport.poll_flush(cx) else { return Ok(false) };
            flushed?;
            closing.enter(Stage::Await);
        }
        if !closing.readable {
            return Ok(false);
        }
        while let Poll::Ready(received) = transport.poll_recv(cx) {
            match received {
                Received::Text(text) => closing.discarded += text.as_str().len(),
                Received::Binary(bytes) => closing.discarded += bytes.len(),
                // The transport's answer leaves when it is read on.
                Received::Control | Received::Close(..) => {}
                Received::Gone | Received::Violation(..) => return Ok(true),
            }
            if closing.discarded > DISCARD_LIMIT {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
