//! Encoding a handler's reply. If nothing is queued, it is written straight into the buffer of the
//! turn's own frames, without an allocation.

use switchboard_core::{Reply, ReplyWriter, WsError, envelope::Head};

use crate::{
    clock,
    conn::ConnInner,
    fanout::turn,
    wire::{
        Frame,
        encode::{append_frame, frame},
    },
};

/// What became of a handler's reply.
#[derive(Debug)]
pub(crate) enum Replied {
    /// The handler has no reply.
    Nothing,
    /// It was written into the turn's buffer.
    Sent,
    /// It is to be sent by the caller.
    Frame(Frame),
}

/// Encodes what a handler returned. With `apart`, the reply is not written into the turn's buffer.
pub(crate) fn reply<M, K, Out, R: Reply<M, K, Out>, D>(
    reply: R,
    correlation_id: Option<&str>,
    conn: &ConnInner<D>,
    apart: bool,
) -> Result<Replied, WsError> {
    let config = conn.config();
    let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
    let write = |out: &mut Vec<u8>| reply.write(&mut ReplyWriter::new(out, head, config.validate_outbound));
    let out = if apart || !conn.dialect.standard { None } else { turn::out_for(&conn.outbox) };
    match out {
        Some(out) => {
            let mut out = TurnBuffer { start: out.len(), out };
            let written = append_frame(&mut out.out, write)?;
            let frame = &out.out[out.start..];
            if frame.len() > config.max_outbound_bytes {
                // Larger than the whole queue may be: pushing it reports that.
                return Ok(Replied::Frame(Frame::new(frame.to_vec())));
            }
            out.start = out.out.len();
            Ok(if written { Replied::Sent } else { Replied::Nothing })
        }
        None => Ok(frame(write)?.map_or(Replied::Nothing, Replied::Frame)),
    }
}

/// The buffer of the turn's own frames, taken out to append one. Given back on drop, so that a
/// reply that panics while it is serialised does not lose the others.
struct TurnBuffer {
    out: Vec<u8>,
    /// The end of the whole frames; an incomplete one behind it is cut off.
    start: usize,
}

impl Drop for TurnBuffer {
    fn drop(&mut self) {
        self.out.truncate(self.start);
        turn::put_back(std::mem::take(&mut self.out));
    }
}
