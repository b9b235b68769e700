//! Messages of unknown type.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use switchboard_core::decode;

/// A message whose type has no handler: the event of [`fallback`](crate::WsRouter::fallback). Cheap
/// to clone.
#[derive(Debug, Clone)]
pub struct UnknownMessage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    message_type: Box<str>,
    correlation_id: Option<Box<str>>,
    payload: Option<Box<str>>,
}

impl UnknownMessage {
    pub(crate) fn new(message_type: &str, correlation_id: Option<&str>, payload: Option<&str>) -> Self {
        Self(Arc::new(Inner {
            message_type: message_type.into(),
            correlation_id: correlation_id.map(Into::into),
            payload: payload.map(Into::into),
        }))
    }

    /// Returns the type tag: 1 to 128 bytes without control characters, not reserved.
    #[must_use]
    pub fn message_type(&self) -> &str {
        &self.0.message_type
    }

    /// Returns the correlation id, if the message has one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// Returns the payload as JSON text, if the message has one.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        self.0.payload.as_deref()
    }

    /// Decodes the payload. Returns `None` if there is none, or if it is not a `T`.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(&self) -> Option<T> {
        decode::read(self.payload()?)
    }
}
