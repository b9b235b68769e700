//! From messages to frames: each envelope is written once, into a buffer of the thread, and leaves
//! as one allocation of the right size that all receivers share.

use std::cell::RefCell;

use axum::extract::ws::Utf8Bytes;
use switchboard_core::{
    Message, Reply, ReplyWriter, WsError,
    envelope::{Head, write_error},
};

use crate::{SendError, clock, transport::Frame};

/// What the thread's buffer may keep between messages.
const KEEP: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn with_buffer<T>(write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    // Taken out while in use: a message's own `Serialize` may send, too.
    let mut buffer = BUFFER.take();
    buffer.clear();
    let result = write(&mut buffer);
    buffer.clear();
    buffer.shrink_to(KEEP);
    BUFFER.set(buffer);
    result
}

/// `None` for bytes that are not UTF-8, which no JSON encoder writes.
fn frame(bytes: &[u8]) -> Option<Frame> {
    std::str::from_utf8(bytes).ok().map(|text| Frame::Text(Utf8Bytes::from(text)))
}

/// An event's envelope.
pub(crate) fn event<M: Message>(message: &M, meta: Option<&M::Meta>, validate: bool) -> Result<Frame, SendError> {
    if validate {
        message.validate().map_err(SendError::invalid)?;
    }
    with_buffer(|buffer| {
        let head = Head { correlation_id: None, timestamp_ms: clock::now_ms() };
        head.write_with_meta(buffer, message, meta).map_err(SendError::unserialisable)?;
        frame(buffer).ok_or_else(|| SendError::unserialisable(WsError::internal("not UTF-8")))
    })
}

/// What a handler returned: a frame, nothing, or an error.
pub(crate) fn reply<M, K, Out, R: Reply<M, K, Out>>(
    reply: R,
    correlation_id: Option<&str>,
    validate: bool,
) -> Result<Option<Frame>, WsError> {
    with_buffer(|buffer| {
        let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
        let mut writer = ReplyWriter::new(buffer, head, validate);
        reply.write(&mut writer)?;
        Ok(if writer.written() { frame(buffer) } else { None })
    })
}

/// `ERROR` or `RPC_ERROR`.
pub(crate) fn error(error: &WsError, correlation_id: Option<&str>, is_rpc: bool) -> Option<Frame> {
    with_buffer(|buffer| {
        let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
        write_error(buffer, head, is_rpc, error);
        frame(buffer)
    })
}

/// The answer to an application's heartbeat.
pub(crate) fn heartbeat_ack() -> Frame {
    let text = format!(r#"{{"type":"__heartbeat_ack","meta":{{"ts":{}}}}}"#, clock::now_ms());
    Frame::Text(Utf8Bytes::from(text))
}
