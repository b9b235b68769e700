//! What the engine needs of a WebSocket: take a frame in, queue one out, flush.

mod axum_ws;

use std::task::{Context, Poll};

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use switchboard_core::CloseCode;

pub(crate) use self::axum_ws::{AxumTransport, configure};

/// An outgoing data frame. Cheap to clone: the bytes are shared.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    Text(Utf8Bytes),
    Binary(Bytes),
}

impl Frame {
    /// What it counts against the outbound limit: its bytes and what keeping it costs.
    pub(crate) fn cost(&self) -> usize {
        let len = match self {
            Self::Text(text) => text.as_str().len(),
            Self::Binary(bytes) => bytes.len(),
        };
        len + size_of::<Self>()
    }
}

/// What came in.
#[derive(Debug)]
pub(crate) enum Received {
    Text(Utf8Bytes),
    Binary(Bytes),
    /// A ping or pong: answered by the transport, which may want a flush.
    Control,
    /// The peer's close frame. The transport answers it at the next flush.
    Close(CloseCode, String),
    /// The peer broke the protocol or a limit; nothing more can be read. To be closed with this code.
    Violation(CloseCode, &'static str),
    /// The connection is gone, with or without a closing handshake.
    Gone,
}

/// The connection cannot be written to any more.
#[derive(Debug)]
pub(crate) struct Broken;

/// A WebSocket as the engine drives it. Nothing here waits: all of it is polled by one task.
pub(crate) trait Transport: Send + Unpin {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Received>;

    /// Whether `queue` may be called.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>>;

    /// Takes a frame, after `poll_ready` was ready.
    fn queue(&mut self, frame: Frame) -> Result<(), Broken>;

    /// Takes the close frame, after `poll_ready` was ready. The last one.
    fn queue_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Broken>;

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>>;
}
