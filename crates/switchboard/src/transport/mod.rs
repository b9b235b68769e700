//! The WebSocket as the engine drives it, and its two implementations.

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

/// The outbound queue of a connection. Its sink is the socket, if any thread can write to that.
pub(crate) type Outbox = outbox::Outbox<Arc<Socket>>;

/// The result of a read. Payloads borrow from the transport or from the scratch buffer.
#[derive(Debug)]
pub(crate) enum Received<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
    /// Nothing for the engine; reading can continue.
    Nothing,
    /// A ping, which the transport answers.
    Ping,
    /// The answer to a ping.
    Pong,
    /// The peer's close frame. The transport answers it when it is closed.
    Close(CloseCode, String),
    /// The peer violated the protocol or a limit: no more frames can be read, and the connection is
    /// to be closed with this code.
    Violation(CloseCode, &'static str),
    /// The connection is gone, with or without a closing handshake.
    Gone,
}

/// A message that has arrived only in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartialMessage {
    /// Distinguishes it from the next message.
    pub(crate) number: u32,
    /// How many bytes have arrived.
    pub(crate) bytes: usize,
}

/// The connection can no longer be written to.
#[derive(Debug)]
pub(crate) struct Broken;

/// A WebSocket, polled by the connection's task.
pub(crate) trait Transport: Send + Unpin {
    /// Polls for the next frame. Frames sent before it are written ahead of any answer to it.
    fn poll_recv<'a>(
        &'a mut self,
        outbox: &Outbox,
        scratch: &'a mut Scratch,
        cx: &mut Context<'_>,
    ) -> Poll<Received<'a>>;

    /// Saves unread bytes at the end of a turn, before the scratch buffer is given back.
    fn keep(&mut self, scratch: &mut Scratch);

    /// Returns the message that has arrived only in part, for the engine to limit its age.
    fn partial(&self) -> Option<PartialMessage>;

    /// Completes once the peer has disconnected, while the socket is not read. Some platforms never
    /// notice.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Writes the turn's own frames and the queue. Ready once nothing is left.
    fn poll_write(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<Result<(), Broken>>;

    /// Queues the close frame, the last one, for the next [`poll_write`](Self::poll_write).
    fn queue_close(&mut self, outbox: &Outbox, code: CloseCode, reason: &str) -> Result<(), Broken>;

    /// Closes the write half, after the close frame has been written.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>>;

    /// Limits how long the peer's close frame is waited for, if shorter than
    /// [`close_timeout`](crate::Config::close_timeout).
    fn max_linger(&self) -> Option<Duration> {
        None
    }

    /// Whether to wait for the end of the stream after the peer's close frame.
    fn awaits_end(&self) -> bool {
        false
    }

    /// Reads and discards; returns the number of bytes, 0 at the end of the stream.
    fn poll_discard(&mut self, scratch: &mut Scratch, cx: &mut Context<'_>) -> Poll<usize>;
}
