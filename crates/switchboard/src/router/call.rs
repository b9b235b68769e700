//! One message on its way to its handler.

use std::{ops::Range, time::Duration};

use axum::extract::ws::Utf8Bytes;
use switchboard_core::envelope::{InboundMeta, RawPayload};

/// A message whose envelope was taken apart: it keeps the frame and knows where things stand in it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) timestamp: Option<f64>,
    pub(crate) timeout: Option<Duration>,
    payload: Option<Range<usize>>,
}

/// What a reply or error needs to know of its message. Cheap to clone: the frame is shared.
#[derive(Debug, Clone)]
pub(crate) struct CallId {
    pub(crate) message_type: &'static str,
    pub(crate) is_rpc: bool,
    correlation_id: Option<Span>,
    frame: Utf8Bytes,
}

/// A text that stands in the frame as it is, or had to be unescaped.
#[derive(Debug, Clone)]
enum Span {
    Here(Range<usize>),
    Owned(Box<str>),
}

impl Call {
    /// Notes where the parts stand in `text`, which they were borrowed from. To be followed by
    /// [`hold`](Self::hold) once they are not borrowed any more.
    pub(crate) fn new(
        message_type: &'static str,
        is_rpc: bool,
        meta: &InboundMeta<'_>,
        payload: Option<RawPayload<'_>>,
        text: &str,
    ) -> Self {
        let correlation_id = meta.correlation_id().map(|id| match place(text, id) {
            Some(range) => Span::Here(range),
            None => Span::Owned(id.into()),
        });
        Self {
            id: CallId { message_type, is_rpc, correlation_id, frame: Utf8Bytes::from_static("") },
            timestamp: meta.timestamp(),
            timeout: meta.timeout_ms().map(Duration::from_millis),
            payload: payload.and_then(|payload| match payload {
                RawPayload::Json(json) => place(text, json),
                _ => None,
            }),
        }
    }

    /// Keeps the frame that [`new`](Self::new) was given the text of.
    pub(crate) fn hold(&mut self, frame: Utf8Bytes) {
        self.id.frame = frame;
    }

    pub(crate) fn payload(&self) -> Option<RawPayload<'_>> {
        let range = self.payload.clone()?;
        self.text().get(range).map(RawPayload::Json)
    }

    /// The whole frame.
    pub(crate) fn text(&self) -> &str {
        self.id.frame.as_str()
    }
}

impl CallId {
    pub(crate) fn correlation_id(&self) -> Option<&str> {
        match self.correlation_id.as_ref()? {
            Span::Here(range) => self.frame.as_str().get(range.clone()),
            Span::Owned(id) => Some(id),
        }
    }
}

/// Where `part` stands in `whole`, if it was borrowed from it.
fn place(whole: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use switchboard_core::envelope::Inbound;

    use super::*;

    #[test]
    fn parts_are_found_in_the_frame_or_kept() {
        for id in ["c1", "c\\n1"] {
            let frame = format!(r#"{{"type":"A","meta":{{"correlationId":"{id}"}},"payload":{{"a":1}}}}"#);
            let frame = Utf8Bytes::from(frame);
            let (_, meta, payload) = Inbound::from_json(frame.as_str()).unwrap().into_parts();
            let mut call = Call::new("A", true, &meta, payload, frame.as_str());
            call.hold(frame.clone());
            assert_eq!(call.id.correlation_id(), meta.correlation_id());
            assert!(matches!(call.payload(), Some(RawPayload::Json(r#"{"a":1}"#))));
        }
    }
}
