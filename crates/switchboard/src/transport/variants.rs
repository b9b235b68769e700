//! Frames as connections take them that do not speak the standard JSON envelope.

use switchboard_core::envelope::{Wire, WireFrame};
use switchboard_frame::{Opcode, encode};

use super::Frame;
use crate::Hub;

/// One frame, or run of frames, in the forms that the members of a topic take, each made when the
/// first member needs it.
#[derive(Debug, Default)]
pub(crate) struct Variants(Vec<(Wire, Option<Frame>)>);

impl Variants {
    pub(crate) fn get(&mut self, wire: &Wire, frame: &Frame, hub: &Hub) -> Option<Frame> {
        if let Some((_, known)) = self.0.iter().find(|(known, _)| known == wire) {
            return known.clone();
        }
        let made = as_taken(wire, frame, hub);
        self.0.push((wire.clone(), made.clone()));
        made
    }
}

/// Standard envelopes as they are to leave; those that cannot be written so are left out.
pub(crate) fn as_taken(wire: &Wire, frame: &Frame, hub: &Hub) -> Option<Frame> {
    let mut taken = Vec::with_capacity(frame.len());
    let mut rest = &frame.wire()[..];
    while let Some((opcode, payload)) = encode::first(rest) {
        let end = payload.end;
        let text = if opcode == Opcode::Text { std::str::from_utf8(&rest[payload]).ok() } else { None };
        match text.and_then(|text| wire.from_standard(text)) {
            Some(WireFrame::Text(text)) => {
                encode::put_frame(&mut taken, true, Opcode::Text, text.as_bytes(), None);
            }
            Some(WireFrame::Binary(bytes)) => encode::put_frame(&mut taken, true, Opcode::Binary, &bytes, None),
            None => {
                if let Some(suppressed) = hub.may_log() {
                    tracing::error!(suppressed, "a message cannot be written in a connection's envelope");
                }
            }
        }
        rest = &rest[end..];
    }
    (!taken.is_empty()).then(|| Frame::new(taken))
}

#[cfg(test)]
mod tests {
    use switchboard_core::envelope::EnvelopeStyle;

    use super::*;

    #[test]
    fn a_run_is_converted_frame_by_frame_and_once() {
        let run: Vec<u8> = [r#"{"type":"A","meta":{},"payload":{"a":1}}"#, r#"{"type":"B","meta":{}}"#]
            .iter()
            .flat_map(|text| Frame::text(text).wire().to_vec())
            .collect();
        let (flat, mut variants) = (Wire::json(EnvelopeStyle::Flat), Variants::default());
        let made = variants.get(&flat, &Frame::new(run.clone()), &Hub::new()).unwrap();
        let expected: Vec<u8> = [r#"{"type":"A","meta":{},"a":1}"#, r#"{"type":"B","meta":{}}"#]
            .iter()
            .flat_map(|text| Frame::text(text).wire().to_vec())
            .collect();
        assert_eq!(&made.wire()[..], &expected[..]);
        let again = variants.get(&flat, &Frame::new(run), &Hub::new()).unwrap();
        assert_eq!(again.wire().as_ptr(), made.wire().as_ptr());
    }
}
