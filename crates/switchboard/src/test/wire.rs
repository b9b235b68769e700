//! Envelopes as clients write and read them: unknown keys are ignored.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use switchboard_core::{CloseCode, Message, MessageMeta, WsError};

use super::failure;
use crate::clock;

/// A frame from the server; envelopes are converted to the standard form.
#[derive(Debug)]
pub(super) enum Arrived {
    Message(Envelope),
    /// Text that is not an envelope.
    Text(String),
    Binary(Bytes),
    /// The end of the connection.
    Closed(CloseCode, String),
}

impl fmt::Display for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(envelope) => f.write_str(&failure::shown(&envelope.text)),
            Self::Text(text) => write!(f, "the text {:?}", failure::shown(text)),
            Self::Binary(bytes) => write!(f, "a binary frame of {} bytes", bytes.len()),
            Self::Closed(code, reason) => f.write_str(&failure::closed(*code, reason)),
        }
    }
}

/// A message whose payload is not decoded yet.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) text: String,
    pub(super) message_type: String,
    pub(super) id: Option<String>,
}

/// The parts of an envelope.
#[derive(Deserialize)]
struct Root<'a> {
    #[serde(rename = "type", borrow)]
    message_type: Cow<'a, str>,
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// The keys of the protocol in `meta`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ids {
    correlation_id: Option<String>,
}

impl Envelope {
    /// Parses an envelope, or returns the text if it is none.
    pub(super) fn parse(text: String) -> Result<Self, String> {
        let Ok(root) = serde_json::from_str::<Root<'_>>(&text) else { return Err(text) };
        let id = root.meta.and_then(|meta| serde_json::from_str::<Ids>(meta.get()).ok()?.correlation_id);
        let message_type = root.message_type.into_owned();
        Ok(Self { text, message_type, id })
    }

    /// Whether it is a frame of the protocol itself, not a message of the application.
    pub(super) fn is_protocols_own(&self) -> bool {
        self.message_type.starts_with("$ws:") || self.message_type.starts_with("__")
    }

    pub(super) fn is_error(&self) -> bool {
        matches!(self.message_type.as_str(), "ERROR" | "RPC_ERROR")
    }

    fn root(&self) -> serde_json::Result<Root<'_>> {
        serde_json::from_str(&self.text)
    }

    /// Decodes the message.
    pub(super) fn message<M: Message>(&self) -> Result<M, serde_json::Error> {
        let payload = self.root()?.payload.filter(|_| M::HAS_PAYLOAD);
        let json = match payload {
            Some(payload) => payload.get(),
            None if M::EMPTY_PAYLOAD => "{}",
            None => "null",
        };
        serde_json::from_str(json)
    }

    /// Decodes the declared keys of `meta`.
    pub(super) fn meta<X: MessageMeta>(&self) -> Result<X, serde_json::Error> {
        let meta = if X::DECLARED { self.root()?.meta.map_or("{}", RawValue::get) } else { "null" };
        serde_json::from_str(meta)
    }

    /// Decodes the payload of an error or a step of progress.
    pub(super) fn payload<T: for<'de> Deserialize<'de>>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.root()?.payload.map_or("null", RawValue::get))
    }

    pub(super) fn error(&self) -> Result<WsError, serde_json::Error> {
        self.payload()
    }
}

/// The `meta` of a client's message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientMeta<'a, X> {
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idempotency_key: Option<&'a str>,
    #[serde(flatten)]
    pub(super) own: Option<&'a X>,
}

impl<'a, X: MessageMeta> ClientMeta<'a, X> {
    pub(super) fn new(own: Option<&'a X>) -> Self {
        let own = own.filter(|_| X::DECLARED);
        Self { timestamp: clock::now_ms(), correlation_id: None, timeout_ms: None, idempotency_key: None, own }
    }
}

/// Encodes a message without validating it, so that a test can send an invalid one.
pub(super) fn envelope<M: Message>(message: &M, meta: &ClientMeta<'_, M::Meta>) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Envelope<'a, M, Meta> {
        #[serde(rename = "type")]
        message_type: &'a str,
        meta: &'a Meta,
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<&'a M>,
    }
    serde_json::to_string(&Envelope { message_type: M::TYPE, meta, payload: M::HAS_PAYLOAD.then_some(message) })
}
