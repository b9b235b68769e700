//! Outgoing frames.

use bytes::Bytes;
use switchboard_frame::{Opcode, encode};

/// One or more whole frames as they go over the wire, header and payload in one piece. Cheap to
/// clone: all receivers share the bytes.
#[derive(Debug, Clone)]
pub(crate) struct Frame(Bytes);

impl Frame {
    /// Frames that were written by [`switchboard_frame::encode`], unmasked.
    pub(crate) fn new(wire: impl Into<Bytes>) -> Self {
        Self(wire.into())
    }

    pub(crate) fn text(payload: &str) -> Self {
        Self(encode::frame(Opcode::Text, payload.as_bytes()))
    }

    pub(crate) fn binary(payload: &[u8]) -> Self {
        Self(encode::frame(Opcode::Binary, payload))
    }

    /// The payload of the first frame, if it is text.
    pub(crate) fn text_payload(&self) -> Option<&str> {
        match encode::first(&self.0)? {
            (Opcode::Text, payload) => std::str::from_utf8(&self.0[payload]).ok(),
            _ => None,
        }
    }

    pub(crate) fn wire(&self) -> &Bytes {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What it counts against the outbound limit: its bytes and what keeping it costs.
    pub(crate) fn cost(&self) -> usize {
        self.len() + size_of::<Self>()
    }

    /// Parts it after the frame in which `offset` stands: what is at or before that, and the rest.
    pub(crate) fn split_after(&self, offset: usize) -> (Self, Option<Self>) {
        let end = frame_end(&self.0, offset);
        let rest = (end < self.0.len()).then(|| Self(self.0.slice(end..)));
        (Self(self.0.slice(..end)), rest)
    }
}

/// Where the frame ends in which `offset` stands.
fn frame_end(wire: &[u8], offset: usize) -> usize {
    let mut end = 0;
    while end <= offset {
        match encode::first(&wire[end..]) {
            Some((_, payload)) => end += payload.end,
            None => return wire.len(),
        }
    }
    end
}

/// Where the frame begins in which `offset` stands.
pub(crate) fn frame_start(wire: &[u8], offset: usize) -> usize {
    let mut start = 0;
    while let Some((_, payload)) = encode::first(&wire[start..]) {
        if start + payload.end > offset {
            break;
        }
        start += payload.end;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_parted_at_the_borders_of_frames() {
        let run = [encode::frame(Opcode::Text, b"one"), encode::frame(Opcode::Text, &[b'x'; 300])].concat();
        let frame = Frame::new(run.clone());
        for offset in 0..5 {
            let (first, rest) = frame.split_after(offset);
            assert_eq!((first.len(), rest.unwrap().len()), (5, 304), "{offset}");
            assert_eq!(frame_start(&run, offset), 0);
        }
        for offset in 5..run.len() {
            let (first, rest) = frame.split_after(offset);
            assert_eq!((first.len(), rest.is_none()), (309, true), "{offset}");
            assert_eq!(frame_start(&run, offset), 5);
        }
    }
}
