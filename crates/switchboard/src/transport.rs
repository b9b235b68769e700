//! What the engine needs of a WebSocket, and the two that there are.

#[cfg(feature = "axum-ws")]
mod axum_ws;
mod kind;
mod native;
mod scratch;

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use switchboard_core::CloseCode;

#[cfg(feature = "axum-ws")]
pub(crate) use self::axum_ws::{AxumTransport, configure};
pub use self::kind::TransportKind;
pub(crate) use self::{
    native::{Io, NativeTransport, Socket},
    scratch::Scratch,
};
use crate::outbox;

/// The queue of a connection, whose sink is its socket where that can be written to by anyone.
pub(crate) type Outbox = outbox::Outbox<Arc<Socket>>;

/// What came in. Data borrows from the transport or from what was read.
#[derive(Debug)]
pub(crate) enum Received<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
    /// Nothing that concerns the engine; there may be more.
    Nothing,
    /// A ping, which the transport answers.
    Ping,
    /// The answer to a ping.
    Pong,
    /// The peer's close frame. The transport answers it when it is closed.
    Close(CloseCode, String),
    /// The peer broke the protocol or a limit; no more frames can be read. To be closed with this code.
    Violation(CloseCode, &'static str),
    /// The connection is gone, with or without a closing handshake.
    Gone,
}

/// A message of which not all has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Midway {
    /// Tells it from the next.
    pub(crate) number: u32,
    /// How much has arrived.
    pub(crate) bytes: usize,
}

/// The connection cannot be written to any more.
#[derive(Debug)]
pub(crate) struct Broken;

/// A WebSocket as the engine drives it. Nothing here waits: all of it is polled by one task.
pub(crate) trait Transport: Send + Unpin {
    /// What comes next. What was sent so far leaves ahead of any answer to it.
    fn poll_recv<'a>(
        &'a mut self,
        outbox: &Outbox,
        scratch: &'a mut Scratch,
        cx: &mut Context<'_>,
    ) -> Poll<Received<'a>>;

    /// Keeps what was read and not taken yet: the scratch buffer is given back.
    fn keep(&mut self, scratch: &mut Scratch);

    /// The message that is half-way, if one is: a peer could leave it so for ever.
    fn midway(&self) -> Option<Midway>;

    /// Ready once the peer is gone, while nothing is read. May never notice.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Writes what the turn has put out and what is queued. Ready once nothing is left of it.
    fn poll_write(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<Result<(), Broken>>;

    /// Takes the close frame, which leaves at the next [`poll_write`](Self::poll_write). The last one.
    fn queue_close(&mut self, outbox: &Outbox, code: CloseCode, reason: &str) -> Result<(), Broken>;

    /// Says that nothing more will be written, after the close frame has left.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>>;

    /// How long the peer is waited for at most once all is written, if not for the whole of
    /// [`close_timeout`](crate::Config::close_timeout).
    fn max_linger(&self) -> Option<Duration> {
        None
    }

    /// Whether the end of the stream is waited for, too, once the peer's close frame has come.
    fn awaits_end(&self) -> bool {
        false
    }

    /// Reads and throws away; how many bytes, 0 once there will be no more.
    fn poll_discard(&mut self, scratch: &mut Scratch, cx: &mut Context<'_>) -> Poll<usize>;
}
