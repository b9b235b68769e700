//! Outgoing frames.

use bytes::Bytes;
use switchboard_frame::{Opcode, encode};

/// One or more whole frames in wire format, header and payload in one buffer. Cheap to clone: all
/// receivers share the bytes.
#[derive(Debug, Clone)]
pub(crate) struct Frame(Bytes);

impl Frame {
    /// Wraps unmasked frames encoded by [`switchboard_frame::encode`].
    pub(crate) fn new(wire: impl Into<Bytes>) -> Self {
        Self(wire.into())
    }

    pub(crate) fn text(payload: &str) -> Self {
        Self(encode::frame(Opcode::Text, payload.as_bytes()))
    }

    pub(crate) fn binary(payload: &[u8]) -> Self {
        Self(encode::frame(Opcode::Binary, payload))
    }

    /// Returns the payload of the first frame, if it is text.
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

    /// Returns what it counts against the outbound limit: its bytes plus the overhead of an entry.
    pub(crate) fn cost(&self) -> usize {
        self.len() + size_of::<Self>()
    }

    /// Splits it after the frame that contains `offset`, into the part up to that and the rest.
    pub(crate) fn split_after(&self, offset: usize) -> (Self, Option<Self>) {
        let end = frame_end(&self.0, offset);
        let rest = (end < self.0.len()).then(|| Self(self.0.slice(end..)));
        (Self(self.0.slice(..end)), rest)
    }
}

/// Returns the end of the frame that contains `offset`.
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

/// Returns the start of the frame that contains `offset`.
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
    fn runs_are_split_at_frame_boundaries() {
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
