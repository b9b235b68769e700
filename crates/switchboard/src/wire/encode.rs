//! From messages to frames: each envelope is written once, into a buffer of the thread, and leaves
//! as one allocation of the right size that all receivers share.

use std::cell::RefCell;

use serde::Serialize;
use switchboard_core::{
    Issues, Message, WsError,
    envelope::{Head, write_control, write_error, write_progress},
};
use switchboard_frame::{MAX_HEADER_LEN, Opcode, encode};

use super::Frame;
use crate::clock;

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

/// Why a message of the application's cannot be sent.
#[derive(Debug)]
pub(crate) enum EncodeError {
    /// It breaks its own rules.
    Invalid(Issues),
    Unserialisable(WsError),
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
pub(crate) fn append_frame<E>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<bool, E> {
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

/// The same as a frame of its own.
pub(crate) fn frame<E>(write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Option<Frame>, E> {
    with_buffer(|buffer| {
        let written = append_frame(buffer, write)?;
        Ok(written.then(|| Frame::new(buffer.clone())))
    })
}

/// An event's envelope.
pub(crate) fn event<M: Message>(message: &M, meta: Option<&M::Meta>, validate: bool) -> Result<Frame, EncodeError> {
    if validate {
        message.validate().map_err(EncodeError::Invalid)?;
    }
    let head = Head { correlation_id: None, timestamp_ms: clock::now_ms() };
    let written = frame(|buffer| head.write_with_meta(buffer, message, meta));
    written
        .and_then(|frame| frame.ok_or_else(|| WsError::internal("an empty envelope")))
        .map_err(EncodeError::Unserialisable)
}

/// A request to the client, or an answer to one of its own.
pub(crate) fn correlated<M: Message>(message: &M, id: Option<&str>, validate: bool) -> Result<Frame, WsError> {
    if validate {
        message.validate().map_err(WsError::internal)?;
    }
    let head = Head { correlation_id: id, timestamp_ms: clock::now_ms() };
    frame(|buffer| head.write(buffer, message))?.ok_or_else(|| WsError::internal("an empty envelope"))
}

/// One step of a request's progress.
pub(crate) fn progress(step: &impl Serialize, correlation_id: &str) -> Result<Frame, EncodeError> {
    let written = frame(|buffer| write_progress(buffer, correlation_id, step));
    written
        .and_then(|frame| frame.ok_or_else(|| WsError::internal("an empty envelope")))
        .map_err(EncodeError::Unserialisable)
}

/// A message of the protocol's own.
pub(crate) fn control(message_type: &str, correlation_id: Option<&str>, payload: &impl Serialize) -> Option<Frame> {
    let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
    frame(|buffer| write_control(buffer, head, message_type, payload)).ok().flatten()
}

/// An envelope around a payload that was serialised before.
pub(crate) fn serialised(message_type: &str, payload: Option<&str>, correlation_id: Option<&str>) -> Option<Frame> {
    let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
    frame::<std::convert::Infallible>(|buffer| {
        head.write_raw(buffer, message_type, payload);
        Ok(())
    })
    .unwrap_or_default()
}

/// `ERROR` or `RPC_ERROR`.
pub(crate) fn error(error: &WsError, correlation_id: Option<&str>, is_rpc: bool) -> Option<Frame> {
    let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
    frame::<std::convert::Infallible>(|buffer| {
        write_error(buffer, head, is_rpc, error);
        Ok(())
    })
    .unwrap_or_default()
}

/// The answer to an application's heartbeat.
pub(crate) fn heartbeat_ack() -> Frame {
    Frame::text(&format!(r#"{{"type":"__heartbeat_ack","meta":{{"ts":{}}}}}"#, clock::now_ms()))
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
