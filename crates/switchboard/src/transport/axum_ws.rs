//! The transport on axum's `WebSocket`.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use futures_util::{Sink as _, Stream as _};
use switchboard_core::{CloseCode, close_reason};
use tungstenite::Error as WsProtocolError;

use super::{Broken, Frame, Received, Transport};
use crate::Config;

/// Filled with zeros before every read: a larger one costs more than the syscalls that it saves.
const READ_BUFFER: usize = 4 * 1024;

/// Frames are gathered up to this size before a write.
const WRITE_BUFFER: usize = 8 * 1024;

/// Sets the limits of an upgrade before it is accepted.
pub(crate) fn configure(upgrade: WebSocketUpgrade, config: &Config) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        // A frame is added only while less than `WRITE_BUFFER` waits, and is no larger than the queue;
        // the rest is room for headers and a pong.
        .max_write_buffer_size(WRITE_BUFFER.saturating_add(config.max_outbound_bytes).saturating_add(1024))
        .max_message_size(config.max_message_bytes)
        .max_frame_size(config.max_message_bytes)
}

#[derive(Debug)]
pub(crate) struct AxumTransport(WebSocket);

impl AxumTransport {
    pub(crate) fn new(socket: WebSocket) -> Self {
        Self(socket)
    }

    fn socket(&mut self) -> Pin<&mut WebSocket> {
        Pin::new(&mut self.0)
    }
}

impl Transport for AxumTransport {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        self.socket().poll_next(cx).map(|item| match item {
            Some(Ok(Message::Text(text))) => Received::Text(text),
            Some(Ok(Message::Binary(bytes))) => Received::Binary(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::Control,
            Some(Ok(Message::Close(frame))) => match frame {
                Some(frame) => Received::Close(CloseCode::new(frame.code), frame.reason.as_str().to_owned()),
                None => Received::Close(CloseCode::NO_STATUS, String::new()),
            },
            Some(Err(error)) => classify(error),
            None => Received::Gone,
        })
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.socket().poll_ready(cx).map_err(|_| Broken)
    }

    fn queue(&mut self, frame: Frame) -> Result<(), Broken> {
        let message = match frame {
            Frame::Text(text) => Message::Text(text),
            Frame::Binary(bytes) => Message::Binary(bytes),
        };
        self.socket().start_send(message).map_err(|_| Broken)
    }

    fn queue_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Broken> {
        let frame = CloseFrame { code: code.get(), reason: close_reason(reason).into() };
        self.socket().start_send(Message::Close(Some(frame))).map_err(|_| Broken)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.socket().poll_flush(cx).map_err(|_| Broken)
    }
}

fn classify(error: axum::Error) -> Received {
    let Ok(error) = error.into_inner().downcast::<WsProtocolError>() else { return Received::Gone };
    match *error {
        WsProtocolError::Capacity(_) => Received::Violation(CloseCode::TOO_BIG, "message too big"),
        WsProtocolError::Utf8(_) => Received::Violation(CloseCode::INVALID_UTF8, "invalid UTF-8"),
        // The peer vanished without a closing handshake; there is nobody to tell.
        WsProtocolError::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => Received::Gone,
        WsProtocolError::Protocol(_) => Received::Violation(CloseCode::PROTOCOL_ERROR, "protocol error"),
        _ => Received::Gone,
    }
}
