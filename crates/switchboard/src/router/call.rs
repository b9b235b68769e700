//! One message on its way to its handler.

mod correlation;

use std::{ops::Range, time::Duration};

use switchboard_core::envelope::{InboundMeta, RawPayload};

use self::correlation::CorrelationId;

/// A message whose envelope was taken apart. It borrows from the frame.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) id: CallId,
    pub(crate) timestamp: Option<f64>,
    pub(crate) special: Option<Box<Special>>,
    pub(crate) payload: Option<RawPayload<'a>>,
    /// The whole frame.
    pub(crate) frame: &'a str,
}

/// What few messages carry in their meta.
#[derive(Debug, Clone)]
pub(crate) struct Special {
    timeout: Option<Duration>,
    idempotency_key: Option<Box<str>>,
}

/// A message that waits: it keeps the frame and knows where the payload stands in it.
#[derive(Debug)]
pub(crate) struct KeptCall {
    pub(crate) id: CallId,
    timestamp: Option<f64>,
    special: Option<Box<Special>>,
    payload: Option<Range<usize>>,
    frame: Box<str>,
}

/// What a reply or error needs to know of its message.
#[derive(Debug, Clone)]
pub(crate) struct CallId {
    pub(crate) message_type: &'static str,
    pub(crate) is_rpc: bool,
    correlation_id: Option<CorrelationId>,
}

impl<'a> Call<'a> {
    /// The parts must have been borrowed from `frame`.
    #[inline]
    pub(crate) fn new(
        message_type: &'static str,
        is_rpc: bool,
        meta: &InboundMeta<'a>,
        payload: Option<RawPayload<'a>>,
        frame: &'a str,
    ) -> Self {
        Self {
            id: CallId { message_type, is_rpc, correlation_id: meta.correlation_id().map(CorrelationId::new) },
            timestamp: meta.timestamp(),
            special: Special::of(meta),
            payload,
            frame,
        }
    }

    /// The same, on its own.
    pub(crate) fn keep(self) -> KeptCall {
        let payload = self.payload.and_then(|RawPayload::Json(json)| place(self.frame, json));
        let Self { id, timestamp, special, frame, .. } = self;
        KeptCall { id, timestamp, special, payload, frame: frame.into() }
    }

    /// What the client asks for in `meta.timeoutMs`.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.special.as_ref().and_then(|special| special.timeout)
    }

    pub(crate) fn idempotency_key(&self) -> Option<&str> {
        self.special.as_ref().and_then(|special| special.idempotency_key.as_deref())
    }
}

impl KeptCall {
    pub(crate) fn as_call(&self) -> Call<'_> {
        Call {
            id: self.id.clone(),
            timestamp: self.timestamp,
            special: self.special.clone(),
            payload: self.payload.clone().and_then(|range| self.frame.get(range)).map(RawPayload::Json),
            frame: &self.frame,
        }
    }
}

impl Special {
    fn of(meta: &InboundMeta<'_>) -> Option<Box<Self>> {
        let (timeout, key) = (meta.timeout_ms(), meta.idempotency_key());
        (timeout.is_some() || key.is_some()).then(|| {
            Box::new(Self { timeout: timeout.map(Duration::from_millis), idempotency_key: key.map(Into::into) })
        })
    }
}

impl CallId {
    pub(crate) fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_ref().map(CorrelationId::as_str)
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
    fn what_is_kept_is_the_same() {
        for id in ["c1", "c\\n1"] {
            let frame = format!(r#"{{"type":"A","meta":{{"correlationId":"{id}"}},"payload":{{"a":1}}}}"#);
            let (_, meta, payload) = Inbound::from_json(&frame).unwrap().into_parts();
            let kept = Call::new("A", true, &meta, payload, &frame).keep();
            let call = kept.as_call();
            assert_eq!(call.id.correlation_id(), meta.correlation_id());
            assert_eq!(call.frame, frame);
            assert!(matches!(call.payload, Some(RawPayload::Json(r#"{"a":1}"#))));
        }
    }
}
