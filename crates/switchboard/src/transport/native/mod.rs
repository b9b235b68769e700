//! The native transport: `switchboard-frame` directly on the connection's socket.

mod io;
mod socket;

use std::{
    fmt,
    io::IoSlice,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::future::BoxFuture;
use switchboard_core::CloseCode;
use switchboard_frame::{Decoder, Event, Limits, Opcode, Role, Violation, encode};

pub(crate) use self::{
    io::{Boxed, Io},
    socket::Socket,
};
use super::{Broken, Outbox, PartialMessage, Received, Scratch, Transport};
use crate::{
    Config,
    fanout::turn,
    outbox::{Sink as _, Wrote},
    wire::Frame,
};

/// If at least this many bytes of a frame are missing, they are read directly into the message's
/// buffer instead of through the scratch buffer.
const READ_DIRECTLY: usize = 4 * 1024;

/// How many of the saved bytes are decoded at once.
const RESTORE: usize = 8 * 1024;

/// The native transport. While idle it holds no buffer, unless a message has arrived in part.
pub(crate) struct NativeTransport {
    io: Io,
    decoder: Decoder,
    /// Bytes that were read but not decoded when the last turn ended.
    rest: Bytes,
    /// How many of them have been copied to the scratch buffer.
    lent: usize,
    /// The number of data messages received, which distinguishes a partial message from the next.
    messages: u32,
    /// Exists only while the socket is not read.
    gone: Option<BoxFuture<'static, ()>>,
}

impl NativeTransport {
    /// `rest` are the bytes that were read after the upgrade request.
    pub(crate) fn new(io: Io, rest: Bytes, config: &Config) -> Self {
        let limits = Limits::default().max_message_bytes(config.max_message_bytes).max_fragments(config.max_fragments);
        Self { io, decoder: Decoder::new(Role::Server, limits), rest, lent: 0, messages: 0, gone: None }
    }

    /// Reads into the scratch buffer. `Ready(false)` at the end.
    fn poll_fill(&mut self, scratch: &mut Scratch, cx: &mut Context<'_>) -> Poll<bool> {
        self.rest.advance(std::mem::take(&mut self.lent));
        if !self.rest.is_empty() {
            // A little at a time: if handlers are pending, a turn takes few messages, and the rest
            // would be copied again.
            self.lent = scratch.restore(&self.rest[..self.rest.len().min(RESTORE)]);
            return Poll::Ready(true);
        }
        match ready!(self.io.poll_read(scratch.room(), cx)) {
            Ok(read) if read > 0 => {
                scratch.filled(read);
                Poll::Ready(true)
            }
            _ => Poll::Ready(false),
        }
    }

    /// Reads the rest of a large frame directly into the message's buffer. Returns `None` if the
    /// scratch buffer is to be used instead, and `Some(None)` at the end of the stream.
    fn poll_fill_directly(&mut self, cx: &mut Context<'_>) -> Poll<Option<Option<usize>>> {
        let Io::Socket(socket) = &self.io else { return Poll::Ready(None) };
        if self.rest.len() > self.lent {
            return Poll::Ready(None);
        }
        match self.decoder.payload_buffer() {
            Some((buffer, missing)) if missing >= READ_DIRECTLY => {
                // The buffer grows with what has arrived, never with the announced length.
                buffer.reserve(missing.min(buffer.len().max(READ_DIRECTLY)));
                let read = ready!(socket.poll_read_buf(&mut buffer.limit(missing), cx));
                Poll::Ready(Some(read.ok().filter(|read| *read > 0)))
            }
            _ => Poll::Ready(None),
        }
    }

    fn poll_write_boxed(stream: &mut Boxed, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if let Some(mut out) = turn::take_out(outbox) {
            let mut written = 0;
            while written < out.len() {
                match stream.poll_write(&[IoSlice::new(&out[written..])], cx) {
                    Poll::Ready(Ok(more)) if more > 0 => written += more,
                    Poll::Ready(_) => return Poll::Ready(Err(Broken)),
                    Poll::Pending => break,
                }
            }
            let blocked = written < out.len();
            outbox.put_back_out(&mut out, written);
            turn::put_back(out);
            if blocked {
                return Poll::Pending;
            }
        }
        while let Some(writing) = outbox.start() {
            match writing.with_slices(|slices| stream.poll_write(slices, cx)) {
                Poll::Ready(Ok(written)) if written > 0 => outbox.finish(writing, written),
                Poll::Ready(_) => return Poll::Ready(Err(Broken)),
                Poll::Pending => {
                    outbox.finish(writing, 0);
                    return Poll::Pending;
                }
            }
        }
        stream.poll_flush(cx).map_err(|_| Broken)
    }

    fn poll_write_socket(socket: &Arc<Socket>, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if let Some(mut out) = turn::take_out(outbox) {
            // In its turn the owner need not take the sink out, since no other task does.
            let Ok(written) = socket.try_write(&[IoSlice::new(&out)]) else { return Poll::Ready(Err(Broken)) };
            outbox.put_back_out(&mut out, written);
            turn::put_back(out);
        }
        while outbox.has_queued() {
            match outbox.write() {
                Wrote::All => break,
                Wrote::Busy => return Poll::Pending,
                Wrote::Broken => return Poll::Ready(Err(Broken)),
                Wrote::Blocked => {
                    if ready!(socket.poll_writable(cx)).is_err() {
                        return Poll::Ready(Err(Broken));
                    }
                    outbox.unblock();
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Converts a decoder's event for the engine, and answers pings.
fn receive<'a>(event: Result<Option<Event<'a>>, Violation>, outbox: &Outbox, messages: &mut u32) -> Received<'a> {
    match event {
        Ok(None) => Received::Nothing,
        Ok(Some(Event::Text(text))) => {
            *messages = messages.wrapping_add(1);
            Received::Text(text)
        }
        Ok(Some(Event::Binary(bytes))) => {
            *messages = messages.wrapping_add(1);
            Received::Binary(bytes)
        }
        Ok(Some(Event::Ping(payload))) => {
            turn::pong(outbox, payload);
            Received::Ping
        }
        Ok(Some(Event::Pong(_))) => Received::Pong,
        Ok(Some(Event::Close(Some((code, reason))))) => Received::Close(CloseCode::new(code), reason.to_owned()),
        Ok(Some(Event::Close(None))) => Received::Close(CloseCode::NO_STATUS, String::new()),
        Err(violation) => Received::Violation(CloseCode::new(violation.close_code()), violation.as_str()),
    }
}

impl Transport for NativeTransport {
    fn poll_recv<'a>(
        &'a mut self,
        outbox: &Outbox,
        scratch: &'a mut Scratch,
        cx: &mut Context<'_>,
    ) -> Poll<Received<'a>> {
        drop(self.decoder.take_delivered());
        self.gone = None;
        let event = if scratch.is_empty() {
            match ready!(self.poll_fill_directly(cx)) {
                Some(Some(read)) => self.decoder.appended(read),
                Some(None) => return Poll::Ready(Received::Gone),
                None => {
                    if !ready!(self.poll_fill(scratch, cx)) {
                        return Poll::Ready(Received::Gone);
                    }
                    Ok(None)
                }
            }
        } else {
            let (input, position) = scratch.unread();
            self.decoder.decode(input).map(|decoded| {
                *position += decoded.consumed;
                decoded.event
            })
        };
        Poll::Ready(receive(event, outbox, &mut self.messages))
    }

    fn keep(&mut self, scratch: &mut Scratch) {
        let (unread, _) = scratch.unread();
        if self.lent > 0 {
            self.rest.advance(std::mem::take(&mut self.lent) - unread.len());
        } else if !unread.is_empty() {
            // `rest` is empty: it would have been read first.
            self.rest = Bytes::copy_from_slice(unread);
        }
        if self.rest.is_empty() {
            self.rest = Bytes::new();
        }
        scratch.clear();
    }

    fn partial(&self) -> Option<PartialMessage> {
        self.decoder.is_midway().then(|| PartialMessage { number: self.messages, bytes: self.decoder.buffered() })
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Io::Socket(socket) = &self.io else { return Poll::Pending };
        let gone = self.gone.get_or_insert_with(|| {
            let socket = Arc::clone(socket);
            Box::pin(async move { socket.gone().await })
        });
        gone.as_mut().poll(cx)
    }

    fn poll_write(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        match &mut self.io {
            Io::Socket(socket) => Self::poll_write_socket(socket, outbox, cx),
            Io::Boxed(stream) => Self::poll_write_boxed(stream, outbox, cx),
        }
    }

    fn queue_close(&mut self, outbox: &Outbox, code: CloseCode, reason: &str) -> Result<(), Broken> {
        let payload = encode::close_payload(code.get(), reason);
        outbox.push_close(Frame::new(encode::frame(Opcode::Close, &payload)));
        Ok(())
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.io.poll_shutdown(cx).map_err(|_| Broken)
    }

    fn awaits_end(&self) -> bool {
        // An HTTP/2 stream dropped before its end is reset, which the peer sees as an error.
        matches!(self.io, Io::Boxed(_))
    }

    fn poll_discard(&mut self, scratch: &mut Scratch, cx: &mut Context<'_>) -> Poll<usize> {
        (self.rest, self.lent) = (Bytes::new(), 0);
        self.io.poll_read(scratch.room(), cx).map(|read| read.unwrap_or(0))
    }
}

impl fmt::Debug for NativeTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeTransport").field("io", &self.io).finish_non_exhaustive()
    }
}
