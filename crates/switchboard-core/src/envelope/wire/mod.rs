//! Other envelope styles and MessagePack, converted to and from the standard JSON envelope at the
//! edge, so that nothing else has to know of them.

#[cfg(feature = "msgpack")]
mod messagepack;

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{MalformedEnvelope, inbound::Text};

/// How the parts of an envelope are named, for clients that were written for another server.
///
/// ```
/// use switchboard_core::envelope::{EnvelopeStyle, Wire};
///
/// let flat = Wire::json(EnvelopeStyle::Flat);
/// assert_eq!(
///     flat.text_to_standard(r#"{"type":"message","content":"hi"}"#).unwrap(),
///     r#"{"type":"message","payload":{"content":"hi"}}"#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum EnvelopeStyle {
    /// `{"type", "meta", "payload"}`.
    #[default]
    Standard,
    /// `{"type", "meta", …}`: every other key belongs to the payload.
    Flat,
    /// `{"type", "meta", key}`: the payload has another key.
    PayloadKey(Cow<'static, str>),
}

/// The encoding of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Codec {
    /// Text frames.
    #[default]
    Json,
    /// Binary frames that hold the same document. A byte string is an array of numbers.
    #[cfg(feature = "msgpack")]
    MessagePack,
}

/// The envelope style and the encoding of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wire {
    style: EnvelopeStyle,
    codec: Codec,
}

/// The payload of a WebSocket frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireFrame {
    /// For a text frame.
    Text(String),
    /// For a binary frame.
    Binary(Vec<u8>),
}

impl Wire {
    /// Creates a wire format with JSON in a style.
    #[must_use]
    pub fn json(style: EnvelopeStyle) -> Self {
        Self { style, codec: Codec::Json }
    }

    /// Creates a wire format with MessagePack in a style.
    #[cfg(feature = "msgpack")]
    #[must_use]
    pub fn messagepack(style: EnvelopeStyle) -> Self {
        Self { style, codec: Codec::MessagePack }
    }

    /// Returns the encoding of frames.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Returns whether frames are standard envelopes in JSON, which need no conversion.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        self.style == EnvelopeStyle::Standard && self.codec == Codec::Json
    }

    /// Converts a text frame to a standard JSON envelope.
    ///
    /// # Errors
    ///
    /// The frame is not an object, or has a duplicate key.
    pub fn text_to_standard<'a>(&self, frame: &'a str) -> Result<Cow<'a, str>, MalformedEnvelope> {
        let payload_key = match &self.style {
            EnvelopeStyle::Standard => return Ok(Cow::Borrowed(frame)),
            EnvelopeStyle::Flat => None,
            EnvelopeStyle::PayloadKey(key) => Some(key.as_ref()),
        };
        let root: Root<'_> = serde_json::from_str(frame).map_err(|_| MalformedEnvelope)?;
        root.to_standard(payload_key, frame.len()).map(Cow::Owned)
    }

    /// Converts a MessagePack frame to a standard JSON envelope.
    ///
    /// What JSON does not have, such as NaN and extension types, becomes a number out of range, which no field accepts.
    ///
    /// # Errors
    ///
    /// The frame is not MessagePack, not an object, has a duplicate key, a key that is neither a string nor an integer
    /// nor a boolean, or more than 128 levels.
    #[cfg(feature = "msgpack")]
    pub fn messagepack_to_standard(&self, frame: &[u8]) -> Result<String, MalformedEnvelope> {
        let json = messagepack::to_json(frame)?;
        self.text_to_standard(&json).map(Cow::into_owned)
    }

    /// Converts a standard JSON envelope to the format of this connection. Returns `None` if it is not
    /// an envelope or cannot be converted: a flat envelope holds no payload that is not an object or has
    /// a key `type` or `meta`.
    #[must_use]
    pub fn from_standard(&self, envelope: &str) -> Option<WireFrame> {
        let json = match &self.style {
            EnvelopeStyle::Standard => Cow::Borrowed(envelope),
            style => {
                let root: Root<'_> = serde_json::from_str(envelope).ok()?;
                Cow::Owned(root.styled(style, envelope.len())?)
            }
        };
        match self.codec {
            Codec::Json => Some(WireFrame::Text(json.into_owned())),
            #[cfg(feature = "msgpack")]
            Codec::MessagePack => messagepack::from_json(&json).map(WireFrame::Binary),
        }
    }
}

/// An object whose values are left as they are.
struct Root<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Root<'a> {
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    fn to_standard(&self, payload_key: Option<&str>, len: usize) -> Result<String, MalformedEnvelope> {
        let mut out = Object::with_capacity(len + 16);
        for name in ["type", "meta"] {
            if let Some(value) = self.get(name) {
                out.put(name, value.get());
            }
        }
        match payload_key {
            Some(key) => {
                if let Some(value) = self.get(key) {
                    out.put("payload", value.get());
                }
            }
            None => {
                let mut payload = Object::with_capacity(len);
                for (key, value) in self.0.iter().filter(|(key, _)| key != "type" && key != "meta") {
                    payload.put(key, value.get());
                }
                // A message without payload has none of its keys either.
                if !payload.is_empty() {
                    out.put("payload", &payload.end());
                }
            }
        }
        Ok(out.end())
    }

    fn styled(&self, style: &EnvelopeStyle, len: usize) -> Option<String> {
        let mut out = Object::with_capacity(len);
        for name in ["type", "meta"] {
            if let Some(value) = self.get(name) {
                out.put(name, value.get());
            }
        }
        if let Some(payload) = self.get("payload") {
            match style {
                EnvelopeStyle::PayloadKey(key) => out.put(key, payload.get()),
                _ => {
                    let payload: Root<'_> = serde_json::from_str(payload.get()).ok()?;
                    for (key, value) in &payload.0 {
                        if key == "type" || key == "meta" {
                            return None;
                        }
                        out.put(key, value.get());
                    }
                }
            }
        }
        Some(out.end())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Root<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RootVisitor;
        impl<'de> Visitor<'de> for RootVisitor {
            type Value = Root<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
                while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    entries.push((key, value));
                }
                let mut keys: Vec<_> = entries.iter().map(|(key, _)| key.as_ref()).collect();
                keys.sort_unstable();
                if keys.windows(2).any(|pair| pair[0] == pair[1]) {
                    return Err(serde::de::Error::custom("a key stands twice"));
                }
                Ok(Root(entries))
            }
        }
        deserializer.deserialize_map(RootVisitor)
    }
}

/// A JSON object that is being written from values that are JSON already.
struct Object(String);

impl Object {
    fn with_capacity(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self(text)
    }

    fn is_empty(&self) -> bool {
        self.0.len() == 1
    }

    fn put(&mut self, key: &str, value: &str) {
        if !self.is_empty() {
            self.0.push(',');
        }
        // A string always serialises.
        self.0.push_str(&serde_json::to_string(key).unwrap_or_default());
        self.0.push(':');
        self.0.push_str(value);
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(all(test, feature = "msgpack"))]
mod tests;
