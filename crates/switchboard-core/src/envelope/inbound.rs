//! Splits a frame into type, meta and payload.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{InboundMeta, RawPayload};
use crate::{Issues, MessageMeta, WsError, decode};

/// A frame split into its parts. The payload is still raw.
///
/// ```
/// use switchboard_core::envelope::Inbound;
///
/// let inbound = Inbound::from_json(r#"{"type":"PING","meta":{"correlationId":"c1"}}"#).unwrap();
/// assert_eq!(inbound.message_type(), "PING");
/// assert_eq!(inbound.meta().correlation_id(), Some("c1"));
/// assert!(inbound.payload().is_none());
/// ```
#[derive(Debug)]
pub struct Inbound<'a> {
    pub(super) message_type: Cow<'a, str>,
    pub(super) meta: InboundMeta<'a>,
    pub(super) payload: Option<RawPayload<'a>>,
}

/// The frame is not JSON, not an object, or has no string `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedEnvelope;

impl fmt::Display for MalformedEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the frame is not a JSON object with a string `type`")
    }
}

impl std::error::Error for MalformedEnvelope {}

impl From<MalformedEnvelope> for WsError {
    fn from(error: MalformedEnvelope) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

impl<'a> Inbound<'a> {
    /// Splits a JSON frame into its parts. Unknown root keys are ignored; a duplicate root key makes
    /// the frame malformed.
    ///
    /// # Errors
    ///
    /// [`MalformedEnvelope`].
    pub fn from_json(frame: &'a str) -> Result<Self, MalformedEnvelope> {
        match Self::from_plain(frame) {
            Some(inbound) => Ok(inbound),
            None => Self::parse(frame),
        }
    }

    pub(super) fn parse(frame: &'a str) -> Result<Self, MalformedEnvelope> {
        serde_json::from_str(frame).map_err(|_| MalformedEnvelope)
    }

    /// Returns the type tag.
    #[must_use]
    pub fn message_type(&self) -> &str {
        &self.message_type
    }

    /// Returns the protocol's keys of `meta`.
    #[must_use]
    pub fn meta(&self) -> &InboundMeta<'a> {
        &self.meta
    }

    /// Returns the raw payload; `None` if the key is absent.
    #[must_use]
    pub fn payload(&self) -> Option<RawPayload<'a>> {
        self.payload
    }

    /// Returns the parts.
    #[must_use]
    pub fn into_parts(self) -> (Cow<'a, str>, InboundMeta<'a>, Option<RawPayload<'a>>) {
        (self.message_type, self.meta, self.payload)
    }
}

/// Reads the keys of `meta` that a message type declares from a whole JSON frame.
///
/// Missing or non-object meta counts as `{}`. Keys that only the server sets and unknown keys are
/// ignored. Otherwise the types decode as they do in a payload. The frame is scanned once more, but
/// only for types that declare keys.
///
/// # Errors
///
/// `INVALID_ARGUMENT` with paths below `meta`.
pub fn extended_meta_from_json<T: MessageMeta>(frame: &str) -> Result<T, Issues> {
    #[derive(Deserialize)]
    struct Frame<'a> {
        #[serde(borrow, default)]
        meta: Option<&'a RawValue>,
    }
    if !T::DECLARED {
        return decode::diagnose::nothing();
    }
    let raw = serde_json::from_str::<Frame<'_>>(frame).ok().and_then(|frame| frame.meta).map(RawValue::get);
    let object = raw.filter(|raw| raw.starts_with('{')).unwrap_or("{}");
    let meta: T =
        decode::diagnose::object(object, &["clientId", "receivedAt"]).map_err(|issues| issues.below("meta"))?;
    meta.validate().map_err(|issues| issues.below("meta"))?;
    Ok(meta)
}

/// Returns the payload of a whole JSON frame, if it has one.
#[must_use]
pub fn raw_payload_of_json(frame: &str) -> Option<String> {
    match Inbound::from_json(frame).ok()?.payload()? {
        RawPayload::Json(json) => Some(json.to_owned()),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Inbound<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InboundVisitor)
    }
}

struct InboundVisitor;

impl<'de> Visitor<'de> for InboundVisitor {
    type Value = Inbound<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut message_type = None;
        let mut meta = None;
        let mut payload = None;
        while let Some(key) = map.next_key::<&'de RawValue>()? {
            match text_of(key).as_deref() {
                Some("type") if message_type.is_none() => message_type = Some(map.next_value::<Text<'de>>()?.0),
                Some("meta") if meta.is_none() => meta = Some(map.next_value()?),
                Some("payload") if payload.is_none() => {
                    payload = Some(RawPayload::Json(map.next_value::<&'de RawValue>()?.get()));
                }
                Some("type" | "meta" | "payload") => return Err(A::Error::custom("a key stands twice")),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Inbound {
            message_type: message_type.ok_or_else(|| A::Error::missing_field("type"))?,
            meta: meta.unwrap_or_default(),
            payload,
        })
    }
}

/// A key or another string as it is written, which passes with half a surrogate pair, too.
pub(super) fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = raw.get();
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(quoted).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// A string, borrowed from the frame unless it holds escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_envelopes_are_refused() {
        for bad in [
            "",
            "x",
            "[]",
            "null",
            "\"a\"",
            "1",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":null}"#,
            r#"{"type":"A"} x"#,
            r#"{"type":"A","type":"B"}"#,
            r#"{"type":"A","payload":{"#,
        ] {
            assert_eq!(Inbound::from_json(bad).unwrap_err(), MalformedEnvelope, "{bad}");
        }
        let deep = format!(r#"{{"type":"A","payload":{}}}"#, "[".repeat(100_000));
        assert!(Inbound::from_json(&deep).is_err());
    }

    #[test]
    fn unknown_root_keys_are_ignored_and_escapes_are_read() {
        let inbound = Inbound::from_json(r#"{"id":[1],"payload":{"a":1},"type":"\u0041\n","x":{"type":"B"}}"#).unwrap();
        assert_eq!(inbound.message_type(), "A\n");
        let Some(RawPayload::Json(payload)) = inbound.payload() else { panic!("no payload") };
        assert_eq!(payload, r#"{"a":1}"#);
    }
}
