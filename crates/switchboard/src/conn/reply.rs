//! A handler's reply. To a connection with nothing queued it is written to where the turn gathers own
//! frames, without an allocation.

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
    let head = Head { correlation_id, timestamp_ms: clock::now_ms() };
    let write = |out: &mut Vec<u8>| reply.write(&mut ReplyWriter::new(out, head, config.validate_outbound));
    let out = if apart || !conn.dialect.standard { None } else { turn::out_for(&conn.outbox) };
    match out {
        Some(out) => {
            let mut out = TurnBuffer { start: out.len(), out };
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
struct TurnBuffer {
    out: Vec<u8>,
    /// What comes behind is not a whole frame.
    start: usize,
}

impl Drop for TurnBuffer {
    fn drop(&mut self) {
        self.out.truncate(self.start);
        turn::put_out(std::mem::take(&mut self.out));
    }
}
