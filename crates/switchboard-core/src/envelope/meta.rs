//! The protocol's own keys of `meta`.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::inbound::text_of;
use crate::WsError;

/// The protocol's keys of an inbound `meta`.
///
/// Anything but an object counts as `{}`. Unknown keys are ignored, and so are `clientId` and
/// `receivedAt`, which only the server sets.
#[derive(Debug, Default)]
pub struct InboundMeta<'a> {
    pub(super) correlation_id: Option<Cow<'a, str>>,
    idempotency_key: Option<Cow<'a, str>>,
    timeout_ms: Option<u64>,
    pub(super) timestamp: Option<f64>,
    problem: Option<MetaProblem>,
}

/// A key of `meta` that the protocol refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetaProblem {
    /// `correlationId` is not a string of 1–128 bytes.
    CorrelationId,
    /// `timeoutMs` is not a positive number.
    TimeoutMs,
    /// `idempotencyKey` is not a string of 1–128 bytes.
    IdempotencyKey,
}

impl From<MetaProblem> for WsError {
    fn from(problem: MetaProblem) -> Self {
        Self::invalid_argument(match problem {
            MetaProblem::CorrelationId => "meta.correlationId must be a string of 1 to 128 bytes",
            MetaProblem::TimeoutMs => "meta.timeoutMs must be a positive number",
            MetaProblem::IdempotencyKey => "meta.idempotencyKey must be a string of 1 to 128 bytes",
        })
    }
}

impl<'a> InboundMeta<'a> {
    /// Returns the correlation id, if there is a valid one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// Returns the idempotency key, if there is a valid one.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// Returns the caller's deadline in milliseconds from receipt, rounded up and not yet clamped.
    #[must_use]
    pub fn timeout_ms(&self) -> Option<u64> {
        self.timeout_ms
    }

    /// Returns the sender's clock in milliseconds since 1970: for display, never for decisions.
    #[must_use]
    pub fn timestamp(&self) -> Option<f64> {
        self.timestamp
    }

    /// The same, on its own.
    #[must_use]
    pub fn to_static(&self) -> InboundMeta<'static> {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(|text| Cow::Owned(text.to_owned()));
        InboundMeta {
            correlation_id: owned(&self.correlation_id),
            idempotency_key: owned(&self.idempotency_key),
            ..*self
        }
    }

    /// Returns what the protocol refuses, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<MetaProblem> {
        self.problem
    }
}

impl<'de> Deserialize<'de> for InboundMeta<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Raw: no value is so malformed that it would hide the correlation id beside it.
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        if !raw.starts_with('{') {
            return Ok(Self::default());
        }
        let mut json = serde_json::Deserializer::from_str(raw);
        json.deserialize_map(MetaVisitor).map_err(serde::de::Error::custom)
    }
}

struct MetaVisitor;

impl<'de> Visitor<'de> for MetaVisitor {
    type Value = InboundMeta<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("meta")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut meta = InboundMeta::default();
        while let Some((key, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            match text_of(key).as_deref() {
                Some("correlationId") => match Scalar::of(value) {
                    Scalar::Text(id) if (1..=128).contains(&id.len()) => meta.correlation_id = Some(id),
                    _ => meta.problem = Some(MetaProblem::CorrelationId),
                },
                Some("idempotencyKey") => match Scalar::of(value) {
                    Scalar::Null => {}
                    Scalar::Text(key) if (1..=128).contains(&key.len()) => meta.idempotency_key = Some(key),
                    _ => _ = meta.problem.get_or_insert(MetaProblem::IdempotencyKey),
                },
                Some("timeoutMs") => match Scalar::of(value) {
                    Scalar::Null => {}
                    // The cast saturates; what is too long is clamped later anyway.
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, saturating")]
                    Scalar::Number(ms) if ms > 0.0 => meta.timeout_ms = Some(ms.ceil() as u64),
                    _ => _ = meta.problem.get_or_insert(MetaProblem::TimeoutMs),
                },
                Some("timestamp") => {
                    if let Scalar::Number(ms) = Scalar::of(value) {
                        meta.timestamp = Some(ms);
                    }
                }
                _ => {}
            }
        }
        Ok(meta)
    }
}

/// Any value, of which only these matter.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Null,
    Other,
}

impl<'a> Scalar<'a> {
    fn of(value: &'a RawValue) -> Self {
        let raw = value.get();
        match raw.as_bytes().first() {
            Some(b'"') => text_of(value).map_or(Self::Other, Self::Text),
            // Not through serde_json, which may be built to hand numbers over as something else.
            Some(b'-' | b'0'..=b'9') => match raw.parse() {
                Ok(number) if f64::is_finite(number) => Self::Number(number),
                _ => Self::Other,
            },
            Some(b'n') => Self::Null,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Inbound;

    fn meta(meta: &str) -> InboundMeta<'static> {
        let frame: &'static str = format!(r#"{{"type":"A","meta":{meta}}}"#).leak();
        Inbound::from_json(frame).unwrap().into_parts().1
    }

    #[test]
    fn meta_that_is_not_an_object_counts_as_empty() {
        for value in ["null", "[]", "[[1],{}]", "1", "-1.5", "\"x\"", "true", "{}"] {
            let meta = meta(value);
            assert!(meta.correlation_id().is_none() && meta.problem().is_none(), "{value}");
        }
    }

    #[test]
    fn a_correlation_id_is_a_string_of_1_to_128_bytes() {
        assert_eq!(meta(r#"{"correlationId":"c1"}"#).correlation_id(), Some("c1"));
        assert_eq!(meta(r#"{"correlationId":"a\"b"}"#).correlation_id(), Some("a\"b"));
        let longest = format!(r#"{{"correlationId":"{}"}}"#, "x".repeat(128));
        assert!(meta(&longest).problem().is_none());
        let too_long = format!(r#"{{"correlationId":"{}"}}"#, "x".repeat(129));
        for bad in [r#"{"correlationId":""}"#, r#"{"correlationId":1}"#, r#"{"correlationId":null}"#, &too_long] {
            assert_eq!(meta(bad).problem(), Some(MetaProblem::CorrelationId), "{bad}");
        }
    }

    #[test]
    fn a_timeout_is_a_positive_number() {
        assert_eq!(meta(r#"{"timeoutMs":100}"#).timeout_ms(), Some(100));
        assert_eq!(meta(r#"{"timeoutMs":0.5}"#).timeout_ms(), Some(1));
        assert_eq!(meta(r#"{"timeoutMs":1e300}"#).timeout_ms(), Some(u64::MAX));
        assert!(meta(r#"{"timeoutMs":null}"#).problem().is_none());
        for bad in ["0", "-1", "\"5\"", "true", "[]", "{}"] {
            assert_eq!(meta(&format!(r#"{{"timeoutMs":{bad}}}"#)).problem(), Some(MetaProblem::TimeoutMs), "{bad}");
        }
    }

    #[test]
    fn a_malformed_key_hides_no_other() {
        for (key, problem) in [
            (r#""timestamp":1e999"#, None),
            (r#""timestamp":"\ud800""#, None),
            (r#""timeoutMs":1e999"#, Some(MetaProblem::TimeoutMs)),
            (r#""timeoutMs":-1e999"#, Some(MetaProblem::TimeoutMs)),
            (r#""idempotencyKey":"\ud800""#, Some(MetaProblem::IdempotencyKey)),
            (r#""idempotencyKey":1e999"#, Some(MetaProblem::IdempotencyKey)),
            (r#""\ud800":1"#, None),
            (r#""timeoutMs":1e4"#, None),
        ] {
            for meta in
                [meta(&format!(r#"{{{key},"correlationId":"c"}}"#)), meta(&format!(r#"{{"correlationId":"c",{key}}}"#))]
            {
                assert_eq!((meta.correlation_id(), meta.problem()), (Some("c"), problem), "{key}");
                assert_eq!(meta.timestamp(), None);
            }
        }
    }

    #[test]
    fn unknown_keys_and_those_of_the_server_are_ignored() {
        let meta =
            meta(r#"{"clientId":"me","receivedAt":1,"x":{"correlationId":"no"},"timestamp":5,"correlationId":"c"}"#);
        assert_eq!(meta.correlation_id(), Some("c"));
        assert_eq!(meta.timestamp(), Some(5.0));
        assert!(meta.problem().is_none());
    }

    mod any_meta {
        use proptest::prelude::*;
        use serde_json::{Value, json};

        use crate::envelope::Inbound;

        fn values() -> impl Strategy<Value = Value> {
            let leaf = prop_oneof![
                Just(Value::Null),
                any::<bool>().prop_map(Value::from),
                any::<i64>().prop_map(Value::from),
                any::<f64>().prop_map(Value::from),
                ".{0,140}".prop_map(Value::from),
            ];
            leaf.prop_recursive(3, 16, 4, |inner| {
                prop_oneof![
                    proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                    proptest::collection::btree_map("[a-zA-Z]{0,3}", inner, 0..4).prop_map(|map| json!(map)),
                ]
            })
        }

        proptest! {
            #[test]
            fn is_read_as_the_rules_say(id in values(), key in values(), timeout in values(), other in values()) {
                let frame = json!({
                    "type": "A",
                    "meta": {
                        "correlationId": id, "idempotencyKey": key, "timeoutMs": timeout,
                        "clientId": other, "x": other,
                    },
                });
                let text = frame.to_string();
                let inbound = Inbound::from_json(&text).unwrap();
                let meta = inbound.meta();
                let valid = |value: &Value| {
                    value.as_str().filter(|text| (1..=128).contains(&text.len())).map(str::to_owned)
                };
                prop_assert_eq!(meta.correlation_id().map(str::to_owned), valid(&id));
                prop_assert_eq!(meta.idempotency_key().map(str::to_owned), valid(&key));
                let ms = timeout.as_f64().filter(|ms| *ms > 0.0);
                prop_assert_eq!(meta.timeout_ms().is_some(), ms.is_some());
                let right = valid(&id).is_some()
                    && (key.is_null() || valid(&key).is_some())
                    && (timeout.is_null() || ms.is_some());
                prop_assert_eq!(meta.problem().is_none(), right);
            }

            #[test]
            fn that_is_no_object_counts_as_empty(meta in values()) {
                prop_assume!(!meta.is_object());
                let text = json!({ "type": "A", "meta": meta }).to_string();
                let inbound = Inbound::from_json(&text).unwrap();
                prop_assert!(inbound.meta().problem().is_none() && inbound.meta().correlation_id().is_none());
            }
        }
    }
}
