//! From messages to frames: each envelope is written once, into a buffer of the thread, and leaves
//! as one allocation of the right size that all receivers share. A reply to a connection with
//! nothing queued is written to where the turn gathers them, without an allocation.

use std::cell::RefCell;

use serde::Serialize;
use switchboard_core::{
    Message, Reply, ReplyWriter, WsError,
    envelope::{Head, write_control, write_error, write_progress},
};
use switchboard_frame::{MAX_HEADER_LEN, Opcode, encode};

use crate::{SendError, conn::ConnInner, idempotency::Outcome, transport::Frame, turn};

/// The room of the thread's buffer. It is reserved when the thread serves its first connection, and
/// untouched until it is needed: a buffer that came in the midst of much else, and stayed, would keep
/// the allocator from giving that back.
const ROOM: usize = 64 * 1024;

/// Room for the header of all but the shortest and the longest frames.
const COMMON_HEADER: usize = 4;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reserves the thread's buffer.
pub(crate) fn prepare() {
    let mut buffer = BUFFER.take();
    buffer.reserve_exact(ROOM - buffer.len().min(ROOM));
    BUFFER.set(buffer);
}

fn with_buffer<T>(write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    // Taken out while in use: a message's own `Serialize` may send, too.
    let mut buffer = BUFFER.take();
    if buffer.capacity() == 0 {
        buffer.reserve_exact(ROOM);
    }
    buffer.clear();
    let result = write(&mut buffer);
    if buffer.capacity() == ROOM {
        BUFFER.set(buffer);
    }
    result
}

/// Appends a text frame whose payload `write` appends. Nothing, if it wrote nothing or failed.
fn append_frame<E>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<bool, E> {
    let start = out.len();
    out.extend_from_slice(&[0; COMMON_HEADER]);
    let written = write(out);
    let payload = start + COMMON_HEADER;
    if written.is_err() || out.len() == payload {
        out.truncate(start);
        return written.map(|()| false);
    }
    let len = out.len() - payload;
    let header_len = encode::header_len(len, false);
    if header_len < COMMON_HEADER {
        out.copy_within(payload.., start + header_len);
        out.truncate(start + header_len + len);
    } else if header_len > COMMON_HEADER {
        out.resize(start + header_len + len, 0);
        out.copy_within(payload..payload + len, start + header_len);
    }
    let mut header = [0; MAX_HEADER_LEN];
    encode::put_header(&mut &mut header[..], true, Opcode::Text, len, None);
    out[start..start + header_len].copy_from_slice(&header[..header_len]);
    written.map(|()| true)
}

fn frame<E>(write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Option<Frame>, E> {
    with_buffer(|buffer| {
        let written = append_frame(buffer, write)?;
        Ok(written.then(|| Frame::new(buffer.clone())))
    })
}

/// An event's envelope.
pub(crate) fn event<M: Message>(message: &M, meta: Option<&M::Meta>, validate: bool) -> Result<Frame, SendError> {
    if validate {
        message.validate().map_err(SendError::invalid)?;
    }
    let head = Head { correlation_id: None, timestamp_ms: turn::now_ms() };
    let written = frame(|buffer| head.write_with_meta(buffer, message, meta));
    written
        .and_then(|frame| frame.ok_or_else(|| WsError::internal("an empty envelope")))
        .map_err(SendError::unserialisable)
}

/// A request to the client, or an answer to one of its own.
pub(crate) fn correlated<M: Message>(message: &M, id: Option<&str>, validate: bool) -> Result<Frame, WsError> {
    if validate {
        message.validate().map_err(WsError::internal)?;
    }
    let head = Head { correlation_id: id, timestamp_ms: turn::now_ms() };
    frame(|buffer| head.write(buffer, message))?.ok_or_else(|| WsError::internal("an empty envelope"))
}

/// One step of a request's progress.
pub(crate) fn progress(step: &impl Serialize, correlation_id: &str) -> Result<Frame, SendError> {
    let written = frame(|buffer| write_progress(buffer, correlation_id, step));
    written
        .and_then(|frame| frame.ok_or_else(|| WsError::internal("an empty envelope")))
        .map_err(SendError::unserialisable)
}

/// A message of the protocol's own.
pub(crate) fn control(message_type: &str, correlation_id: Option<&str>, payload: &impl Serialize) -> Option<Frame> {
    let head = Head { correlation_id, timestamp_ms: turn::now_ms() };
    frame(|buffer| write_control(buffer, head, message_type, payload)).ok().flatten()
}

/// The outcome of an earlier request, for a later one.
pub(crate) fn again(outcome: &Outcome, correlation_id: Option<&str>) -> Option<Frame> {
    let head = Head { correlation_id, timestamp_ms: turn::now_ms() };
    frame::<std::convert::Infallible>(|buffer| {
        head.write_raw(buffer, &outcome.message_type, outcome.payload.as_deref());
        Ok(())
    })
    .unwrap_or_default()
}

/// What a handler's reply has become.
#[derive(Debug)]
pub(crate) enum Replied {
    /// There is none.
    Nothing,
    /// It was put out already.
    Sent,
    /// It is to be sent.
    Frame(Frame),
}

/// What a handler returned: a frame, nothing, or an error. `apart`: not among what the turn puts out.
pub(crate) fn reply<M, K, Out, R: Reply<M, K, Out>, D>(
    reply: R,
    correlation_id: Option<&str>,
    conn: &ConnInner<D>,
    apart: bool,
) -> Result<Replied, WsError> {
    let config = conn.config();
    let head = Head { correlation_id, timestamp_ms: turn::now_ms() };
    let write = |out: &mut Vec<u8>| reply.write(&mut ReplyWriter::new(out, head, config.validate_outbound));
    let out = if apart || !conn.dialect.standard { None } else { turn::out_for(&conn.outbox) };
    match out {
        Some(out) => {
            let mut out = Taken { start: out.len(), out };
            let written = append_frame(&mut out.out, write)?;
            let frame = &out.out[out.start..];
            if frame.len() > config.max_outbound_bytes {
                // Larger than what may wait at all: the queue says so.
                return Ok(Replied::Frame(Frame::new(frame.to_vec())));
            }
            out.start = out.out.len();
            Ok(if written { Replied::Sent } else { Replied::Nothing })
        }
        None => Ok(frame(write)?.map_or(Replied::Nothing, Replied::Frame)),
    }
}

/// The turn's own frames, taken out to append one. They are given back whatever happens: a reply
/// that panics while it is serialised must not cost the others.
struct Taken {
    out: Vec<u8>,
    /// What comes behind is not a whole frame.
    start: usize,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.out.truncate(self.start);
        turn::put_out(std::mem::take(&mut self.out));
    }
}

/// `ERROR` or `RPC_ERROR`.
pub(crate) fn error(error: &WsError, correlation_id: Option<&str>, is_rpc: bool) -> Option<Frame> {
    let head = Head { correlation_id, timestamp_ms: turn::now_ms() };
    frame::<std::convert::Infallible>(|buffer| {
        write_error(buffer, head, is_rpc, error);
        Ok(())
    })
    .unwrap_or_default()
}

/// The answer to an application's heartbeat.
pub(crate) fn heartbeat_ack() -> Frame {
    Frame::text(&format!(r#"{{"type":"__heartbeat_ack","meta":{{"ts":{}}}}}"#, turn::now_ms()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_lengths_stand_before_their_payload() {
        let mut out = Vec::new();
        let mut expected = Vec::new();
        for len in [1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; len];
            let written = append_frame(&mut out, |out| -> Result<(), ()> {
                out.extend_from_slice(&payload);
                Ok(())
            });
            assert_eq!(written, Ok(true));
            expected.extend_from_slice(&encode::frame(Opcode::Text, &payload));
            // Neither leaves anything.
            assert_eq!(append_frame(&mut out, |_| Ok::<(), ()>(())), Ok(false));
            let failed = append_frame(&mut out, |out| {
                out.push(1);
                Err(())
            });
            assert_eq!(failed, Err(()));
        }
        assert!(out == expected);
    }
}
