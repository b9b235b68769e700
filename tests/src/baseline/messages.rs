//! The messages of the server written by hand: borrowed from the frame, the payload raw until its type is known.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The longest note, in characters.
const MAX_NOTE: usize = 2000;

/// An envelope from a client.
#[derive(Deserialize)]
pub(super) struct Request<'a> {
    #[serde(rename = "type", borrow)]
    message_type: Cow<'a, str>,
    #[serde(default, borrow)]
    meta: RequestMeta<'a>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestMeta<'a> {
    #[serde(borrow)]
    correlation_id: Option<Text<'a>>,
}

/// serde borrows a `Cow` in a field, but not in an `Option`.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Request<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|error| Fault::invalid(&error))
    }

    pub(super) fn message_type(&self) -> &str {
        &self.message_type
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.meta.correlation_id.as_ref().map(|id| &*id.0)
    }

    pub(super) fn payload<T: Deserialize<'a>>(&self) -> Result<T, Fault> {
        let payload = self.payload.ok_or_else(|| Fault::invalid(&"this message needs a payload"))?;
        serde_json::from_str(payload.get()).map_err(|error| Fault::invalid(&error))
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Add,
    Sub,
    Mul,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calc<'a> {
    a: f64,
    b: f64,
    op: Op,
    #[serde(borrow)]
    note: Option<Text<'a>>,
}

impl Calc<'_> {
    pub(super) fn check(&self) -> Result<(), Fault> {
        match &self.note {
            Some(note) if note.0.chars().count() > MAX_NOTE => Err(Fault::invalid(&"note: too long")),
            _ => Ok(()),
        }
    }

    pub(super) fn result(&self) -> f64 {
        match self.op {
            Op::Add => self.a + self.b,
            Op::Sub => self.a - self.b,
            Op::Mul => self.a * self.b,
        }
    }
}

#[derive(Serialize)]
pub(super) struct CalcResult {
    pub(super) result: f64,
}

/// Also the reply to itself.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Join<'a> {
    #[serde(borrow)]
    pub(super) topic: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish<'a> {
    #[serde(borrow)]
    pub(super) topic: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) data: Cow<'a, str>,
}

#[derive(Serialize)]
pub(super) struct Event<'a> {
    pub(super) topic: &'a str,
    pub(super) data: &'a str,
}

/// The reason of a refused request.
#[derive(Serialize)]
pub(super) struct Fault {
    code: &'static str,
    message: String,
    retryable: bool,
}

impl Fault {
    pub(super) fn unknown_type() -> Self {
        Self { code: "UNIMPLEMENTED", message: "unknown message type".to_owned(), retryable: false }
    }

    fn invalid(why: &dyn std::fmt::Display) -> Self {
        Self { code: "INVALID_ARGUMENT", message: why.to_string(), retryable: false }
    }

    pub(super) fn reply(&self, message_type: &str, id: Option<&str>, now: u64) -> String {
        reply(message_type, id, now, self)
    }
}

/// An envelope to a client.
#[derive(Serialize)]
struct Reply<'a, T> {
    #[serde(rename = "type")]
    message_type: &'a str,
    meta: ReplyMeta<'a>,
    payload: &'a T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplyMeta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    timestamp: u64,
}

pub(super) fn reply<T: Serialize>(message_type: &str, id: Option<&str>, now: u64, payload: &T) -> String {
    let reply = Reply { message_type, meta: ReplyMeta { correlation_id: id, timestamp: now }, payload };
    // Fails only for maps whose keys are not strings, of which there are none.
    serde_json::to_string(&reply).unwrap_or_default()
}
