//! A message for a handler, borrowed or owned.

mod correlation;

use std::{ops::Range, time::Duration};

use switchboard_core::envelope::{InboundMeta, RawPayload};

use self::correlation::CorrelationId;

/// A message whose envelope was parsed. It borrows from the frame, because most messages are handled
/// where they were read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) message_type: &'static str,
    pub(crate) is_rpc: bool,
    pub(crate) meta: &'a InboundMeta<'a>,
    pub(crate) payload: Option<RawPayload<'a>>,
    /// The whole frame.
    pub(crate) frame: &'a str,
}

/// A message that is queued or passes through layers: an owned frame and the payload's range in it.
#[derive(Debug)]
pub(crate) struct OwnedCall {
    message_type: &'static str,
    is_rpc: bool,
    meta: Box<InboundMeta<'static>>,
    payload: Option<Range<usize>>,
    frame: Box<str>,
}

/// The identity of a message, as replies and errors need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallId<'a> {
    pub(crate) message_type: &'static str,
    pub(crate) is_rpc: bool,
    pub(crate) correlation_id: Option<&'a str>,
}

/// An owned [`CallId`].
#[derive(Debug)]
pub(crate) struct OwnedId {
    message_type: &'static str,
    is_rpc: bool,
    correlation_id: Option<CorrelationId>,
}

/// A borrowed or owned message.
pub(crate) trait AsCall {
    fn as_call(&self) -> Call<'_>;
}

impl<'a> Call<'a> {
    #[inline]
    pub(crate) fn id(self) -> CallId<'a> {
        CallId { message_type: self.message_type, is_rpc: self.is_rpc, correlation_id: self.meta.correlation_id() }
    }

    /// Copies the message. The payload must be borrowed from the frame.
    pub(crate) fn keep(&self) -> OwnedCall {
        OwnedCall {
            message_type: self.message_type,
            is_rpc: self.is_rpc,
            meta: Box::new(self.meta.to_static()),
            payload: self.payload.and_then(|RawPayload::Json(json)| range_of(self.frame, json)),
            frame: self.frame.into(),
        }
    }

    /// The client's `meta.timeoutMs`.
    #[inline]
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.meta.timeout_ms().map(Duration::from_millis)
    }
}

impl OwnedCall {
    /// The payload as JSON text.
    pub(crate) fn payload(&self) -> Option<&str> {
        self.payload.clone().and_then(|range| self.frame.get(range))
    }
}

impl AsCall for OwnedCall {
    fn as_call(&self) -> Call<'_> {
        Call {
            message_type: self.message_type,
            is_rpc: self.is_rpc,
            meta: &self.meta,
            payload: self.payload().map(RawPayload::Json),
            frame: &self.frame,
        }
    }
}

impl AsCall for Call<'_> {
    fn as_call(&self) -> Call<'_> {
        *self
    }
}

impl OwnedId {
    pub(crate) fn id(&self) -> CallId<'_> {
        let correlation_id = self.correlation_id.as_ref().map(CorrelationId::as_str);
        CallId { message_type: self.message_type, is_rpc: self.is_rpc, correlation_id }
    }
}

impl CallId<'_> {
    #[inline]
    pub(crate) fn keep(self) -> OwnedId {
        let Self { message_type, is_rpc, correlation_id } = self;
        OwnedId { message_type, is_rpc, correlation_id: correlation_id.map(CorrelationId::new) }
    }
}

/// Returns the range of `part` in `whole`, if it is borrowed from it.
fn range_of(whole: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use switchboard_core::envelope::Inbound;

    use super::*;

    #[test]
    fn owned_and_borrowed_calls_are_the_same() {
        for id in ["c1", "c\\n1"] {
            let frame = format!(
                r#"{{"type":"A","meta":{{"correlationId":"{id}","timeoutMs":5,"idempotencyKey":"k"}},"payload":{{"a":1}}}}"#
            );
            let (_, meta, payload) = Inbound::from_json(&frame).unwrap().into_parts();
            let call = Call { message_type: "A", is_rpc: true, meta: &meta, payload, frame: &frame };
            let kept = call.keep();
            let again = kept.as_call();
            assert_eq!(again.id().correlation_id, meta.correlation_id());
            assert_eq!(again.id().keep().id().correlation_id, meta.correlation_id());
            assert_eq!((again.timeout(), again.meta.idempotency_key()), (Some(Duration::from_millis(5)), Some("k")));
            assert_eq!(again.frame, frame);
            assert!(matches!(again.payload, Some(RawPayload::Json(r#"{"a":1}"#))));
        }
    }
}
