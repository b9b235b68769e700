//! Encodes messages as frames. Each envelope is written once into a thread-local buffer, then
//! copied into one allocation of the exact size that all receivers share.

use std::cell::RefCell;

use serde::Serialize;
use switchboard_core::{
    Issues, Message, WsError,
    envelope::{Head, write_control, write_error, write_progress},
};
use switchboard_frame::{MAX_HEADER_LEN, Opcode, encode};

use super::Frame;
use crate::clock;

/// The capacity of the thread's buffer.
///
/// It is reserved when the thread serves its first connection. A long-lived buffer allocated later,
/// among many short-lived allocations, would keep the allocator from returning their memory.
const ROOM: usize = 64 * 1024;

/// The header length of payloads from 126 bytes to 64 KiB, reserved before the length is known.
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

/// Why an application's message cannot be sent.
#[derive(Debug)]
pub(crate) enum EncodeError {
    /// It fails its own validation.
    Invalid(Issues),
    Unserialisable(WsError),
}

fn with_buffer<T>(write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    // Taken out while in use, since a message's `Serialize` may itself send a message.
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

/// Appends a text frame whose payload is appended by `write`. Appends nothing and returns `false`
/// or the error if `write` wrote nothing or failed.
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

/// Encodes a text frame whose payload is appended by `write`, or `None` if it wrote nothing.
pub(crate) fn frame<E>(write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Option<Frame>, E> {
    with_buffer(|buffer| {
        let written = append_frame(buffer, write)?;
        Ok(written.then(|| Frame::new(buffer.clone())))
    })
}

/// Encodes an event.
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

/// Encodes a request to the client, or a reply to one of its own.
pub(crate) fn correlated<M: Message>(message: &M, id: Option<&str>, validate: bool) -> Result<Frame, WsError> {
    if validate {
        message.validate().map_err(WsError::internal)?;
    }
    let head = Head { correlation_id: id, timestamp_ms: clock::now_ms() };
    frame(|buffer| head.write(buffer, message))?.ok_or_else(|| WsError::internal("an empty envelope"))
}

/// Encodes a progress message of a request.
pub(crate) fn progress(step: &impl Serialize, correlation_id: &str) -> Result<Frame, EncodeError> {
    let written = frame(|buffer| write_progress(buffer, correlation_id, step));
    written
        .and_then(|frame| frame.ok_or_else(|| WsError::internal("an empty envelope")))
        .map_err(EncodeError::Unserialisable)
}

/// Encodes a control message of the protocol.
pub(crate) fn control(message_type: &str, correlation_id: Option<&str>, payload: &impl Serialize) -> Option<Frame> {
    let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
    frame(|buffer| write_control(buffer, head, message_type, payload)).ok().flatten()
}

/// Encodes a message whose payload is already serialised.
pub(crate) fn serialised(message_type: &str, payload: Option<&str>, correlation_id: Option<&str>) -> Option<Frame> {
    let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
    frame::<std::convert::Infallible>(|buffer| {
        head.write_raw(buffer, message_type, payload);
        Ok(())
    })
    .unwrap_or_default()
}

/// Encodes an `ERROR` or `RPC_ERROR`.
pub(crate) fn error(error: &WsError, correlation_id: Option<&str>, is_rpc: bool) -> Option<Frame> {
    let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
    frame::<std::convert::Infallible>(|buffer| {
        write_error(buffer, head, is_rpc, error);
        Ok(())
    })
    .unwrap_or_default()
}

/// Encodes the answer to a `__heartbeat`.
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
            // An empty and a failed frame append nothing.
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
