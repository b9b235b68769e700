//! The transport on axum's `WebSocket`.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use switchboard_core::{CloseCode, close_reason};
use switchboard_frame::{Opcode, encode};
use tungstenite::Error as WsProtocolError;

use super::{Broken, PartialMessage, Received, Scratch, Transport};
use crate::{Config, fanout::turn, transport::Outbox};

/// tungstenite zeroes the buffer before every read: a larger one costs more than the system calls
/// it saves.
const READ_BUFFER: usize = 4 * 1024;

/// Frames are collected up to this size before a write.
const WRITE_BUFFER: usize = 8 * 1024;

/// How long a socket that can no longer be read is kept open for the close frame to arrive.
const LINGER: Duration = Duration::from_millis(500);

/// Sets the limits of an upgrade before it is accepted.
pub(crate) fn configure(upgrade: WebSocketUpgrade, config: &Config) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        // A frame is added only while less than `WRITE_BUFFER` is buffered, and is no larger than
        // the queue's limit. The rest is for headers and a pong.
        .max_write_buffer_size(WRITE_BUFFER.saturating_add(config.max_outbound_bytes).saturating_add(1024))
        .max_message_size(config.max_message_bytes)
        .max_frame_size(config.max_message_bytes)
}

#[derive(Debug)]
pub(crate) struct AxumTransport {
    socket: WebSocket,
    /// The message that was received last.
    received: Option<Message>,
    /// Frames popped from the queue and not passed to the socket yet.
    taken: Bytes,
    /// The cost of `taken` in the queue.
    taken_cost: usize,
    /// The cost of frames passed to the socket since its last complete flush.
    unflushed_cost: usize,
    /// The socket has something to flush.
    unflushed: bool,
    /// The socket accepts no more frames at the moment.
    blocked: bool,
    peer: Peer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Open,
    /// It has sent a close frame, which the socket answers by itself; it accepts no more frames.
    Closed,
    /// It violated the protocol; the socket can no longer be read.
    Unreadable,
}

impl AxumTransport {
    pub(crate) fn new(socket: WebSocket) -> Self {
        Self {
            socket,
            received: None,
            taken: Bytes::new(),
            taken_cost: 0,
            unflushed_cost: 0,
            unflushed: false,
            blocked: false,
            peer: Peer::Open,
        }
    }

    fn socket(&mut self) -> Pin<&mut WebSocket> {
        Pin::new(&mut self.socket)
    }

    /// Passes the turn's own frames and the queue to the socket, without flushing.
    fn poll_send(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if let Some(mut out) = turn::take_out(outbox) {
            if self.taken.is_empty() {
                self.taken = Bytes::copy_from_slice(&out);
            } else {
                outbox.put_back_out(&mut out, 0);
            }
            out.clear();
            turn::put_back(out);
        }
        loop {
            if self.taken.is_empty() {
                self.unflushed_cost += std::mem::take(&mut self.taken_cost);
                let Some(frame) = outbox.pop() else { return Poll::Ready(Ok(())) };
                self.taken_cost = frame.cost();
                self.taken = frame.wire().clone();
            }
            let Poll::Ready(ready) = self.socket().poll_ready(cx) else {
                self.blocked = true;
                return Poll::Pending;
            };
            ready.map_err(|_| Broken)?;
            if std::mem::take(&mut self.blocked) {
                // It becomes ready again only once everything it had was flushed.
                outbox.written(std::mem::take(&mut self.unflushed_cost));
            }
            self.send_one()?;
        }
    }

    /// Passes the first of the taken frames to the socket.
    fn send_one(&mut self) -> Result<(), Broken> {
        let Some((opcode, payload)) = encode::first(&self.taken) else {
            self.taken = Bytes::new();
            return Ok(());
        };
        let end = payload.end;
        let payload = self.taken.slice(payload);
        self.taken = self.taken.slice(end..);
        let message = match opcode {
            Opcode::Text => Message::Text(Utf8Bytes::try_from(payload).map_err(|_| Broken)?),
            Opcode::Ping => Message::Ping(payload),
            _ => Message::Binary(payload),
        };
        self.unflushed = true;
        self.socket().start_send(message).map_err(|_| Broken)
    }
}

impl Transport for AxumTransport {
    fn poll_recv<'a>(&'a mut self, outbox: &Outbox, _: &'a mut Scratch, cx: &mut Context<'_>) -> Poll<Received<'a>> {
        // Frames queued so far must precede the socket's own answers to what it reads next.
        if self.peer == Peer::Open
            && (outbox.has_queued() || !self.taken.is_empty() || turn::is_out(outbox))
            && matches!(self.poll_send(outbox, cx), Poll::Ready(Err(Broken)))
        {
            return Poll::Ready(Received::Gone);
        }
        self.received = None;
        let message = match ready!(self.socket().poll_next(cx)) {
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                let received = classify(error);
                if matches!(received, Received::Violation(..)) {
                    self.peer = Peer::Unreadable;
                }
                return Poll::Ready(received);
            }
            None => return Poll::Ready(Received::Gone),
        };
        Poll::Ready(match self.received.insert(message) {
            Message::Text(text) => Received::Text(text.as_str()),
            Message::Binary(bytes) => Received::Binary(bytes),
            Message::Ping(_) => {
                self.unflushed = true;
                Received::Ping
            }
            Message::Pong(_) => Received::Pong,
            Message::Close(frame) => {
                self.unflushed = true;
                self.peer = Peer::Closed;
                match frame {
                    Some(frame) => Received::Close(CloseCode::new(frame.code), frame.reason.as_str().to_owned()),
                    None => Received::Close(CloseCode::NO_STATUS, String::new()),
                }
            }
        })
    }

    fn keep(&mut self, _: &mut Scratch) {
        self.received = None;
    }

    fn partial(&self) -> Option<PartialMessage> {
        None
    }

    fn poll_gone(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn poll_write(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if self.peer != Peer::Closed {
            ready!(self.poll_send(outbox, cx))?;
        }
        if self.unflushed {
            ready!(self.socket().poll_flush(cx)).map_err(|_| Broken)?;
            self.unflushed = false;
            self.blocked = false;
            outbox.written(std::mem::take(&mut self.unflushed_cost));
        }
        Poll::Ready(Ok(()))
    }

    fn queue_close(&mut self, _: &Outbox, code: CloseCode, reason: &str) -> Result<(), Broken> {
        if self.peer == Peer::Closed {
            return Ok(());
        }
        self.unflushed = true;
        let frame = CloseFrame { code: code.get(), reason: close_reason(reason).into() };
        self.socket().start_send(Message::Close(Some(frame))).map_err(|_| Broken)
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn max_linger(&self) -> Option<Duration> {
        (self.peer == Peer::Unreadable).then_some(LINGER)
    }

    fn poll_discard(&mut self, _: &mut Scratch, cx: &mut Context<'_>) -> Poll<usize> {
        if self.peer == Peer::Unreadable {
            return Poll::Pending;
        }
        match ready!(self.socket().poll_next(cx)) {
            Some(Ok(message)) => Poll::Ready(message.into_data().len().max(1)),
            _ => Poll::Ready(0),
        }
    }
}

fn classify(error: axum::Error) -> Received<'static> {
    const PROTOCOL: Received<'static> = Received::Violation(CloseCode::PROTOCOL_ERROR, "protocol error");
    // The downcast fails if axum uses another version of tungstenite: tell the peer something.
    let Ok(error) = error.into_inner().downcast::<WsProtocolError>() else { return PROTOCOL };
    match *error {
        WsProtocolError::Capacity(_) => Received::Violation(CloseCode::TOO_BIG, "message too big"),
        WsProtocolError::Utf8(_) => Received::Violation(CloseCode::INVALID_UTF8, "invalid UTF-8"),
        // The peer disconnected without a closing handshake.
        WsProtocolError::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => Received::Gone,
        WsProtocolError::Io(_) | WsProtocolError::ConnectionClosed | WsProtocolError::AlreadyClosed => Received::Gone,
        _ => PROTOCOL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_b17_an_unrecognised_error_is_a_protocol_error() {
        for error in [
            axum::Error::new("of another version"),
            axum::Error::new(WsProtocolError::WriteBufferFull(Box::new(tungstenite::Message::text("x")))),
        ] {
            assert!(matches!(classify(error), Received::Violation(CloseCode::PROTOCOL_ERROR, _)));
        }
        let gone = axum::Error::new(WsProtocolError::ConnectionClosed);
        assert!(matches!(classify(gone), Received::Gone));
    }
}
