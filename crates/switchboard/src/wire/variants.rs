//! Frames converted for connections that do not use the standard JSON envelope.

use switchboard_core::envelope::{Wire, WireFrame};

use super::Frame;
use crate::log_limit::LogLimit;

/// One frame in the envelopes of a topic's subscribers, each converted when first needed.
#[derive(Debug, Default)]
pub(crate) struct Variants(Vec<(Wire, Option<Frame>)>);

impl Variants {
    pub(crate) fn get(&mut self, wire: &Wire, frame: &Frame, log: &LogLimit) -> Option<Frame> {
        if let Some((_, known)) = self.0.iter().find(|(known, _)| known == wire) {
            return known.clone();
        }
        let made = encode_for(wire, frame, log);
        self.0.push((wire.clone(), made.clone()));
        made
    }
}

/// Converts a standard envelope, or logs and returns `None` if that is impossible.
pub(crate) fn encode_for(wire: &Wire, frame: &Frame, log: &LogLimit) -> Option<Frame> {
    match frame.text_payload().and_then(|text| wire.from_standard(text)) {
        Some(WireFrame::Text(text)) => Some(Frame::text(&text)),
        Some(WireFrame::Binary(bytes)) => Some(Frame::binary(&bytes)),
        None => {
            if let Some(suppressed) = log.may_log() {
                tracing::error!(
                    suppressed,
                    "a message cannot be represented in a connection's envelope style: it is not sent"
                );
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use switchboard_core::envelope::EnvelopeStyle;

    use super::*;

    #[test]
    fn a_frame_is_converted_once() {
        let frame = Frame::text(r#"{"type":"A","meta":{},"payload":{"a":1}}"#);
        let (flat, mut variants) = (Wire::json(EnvelopeStyle::Flat), Variants::default());
        let made = variants.get(&flat, &frame, &LogLimit::default()).unwrap();
        assert_eq!(made.text_payload(), Some(r#"{"type":"A","meta":{},"a":1}"#));
        let again = variants.get(&flat, &frame, &LogLimit::default()).unwrap();
        assert_eq!(again.wire().as_ptr(), made.wire().as_ptr());
    }
}
