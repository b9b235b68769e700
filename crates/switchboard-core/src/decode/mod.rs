//! Decodes a raw payload into a message: one pass, and a second one that explains a refusal.

pub(crate) mod diagnose;
mod forward;
mod number;
mod raw_key;
#[cfg(test)]
mod raw_key_tests;
mod single;
mod strict;
mod substituted;

use serde::de::{DeserializeOwned, value::UnitDeserializer};

pub use self::substituted::Substituted;
use crate::{Issues, Message};

/// A raw payload. Codecs other than JSON are converted first.
#[derive(Debug, Clone, Copy)]
pub enum RawPayload<'a> {
    /// One JSON value, without white space around it.
    Json(&'a str),
}

/// Whether keys that a type does not declare are refused or ignored.
///
/// ```
/// use switchboard_core::decode::{Mode, RawPayload, decode_with};
/// # use switchboard_core::{Event, Message};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Welcome { name: String }
/// # impl Message for Welcome { type Kind = Event; type Meta = (); const TYPE: &'static str = "WELCOME"; }
///
/// // What a newer server sends: it has one field more.
/// let payload = Some(RawPayload::Json(r#"{"name":"Ann","since":5}"#));
/// assert!(decode_with::<Welcome>(payload, Mode::Strict).is_err());
/// let welcome: Welcome = decode_with(payload, Mode::Lenient).unwrap();
/// assert_eq!(welcome.name, "Ann");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Unknown keys are refused, at any depth, unless the message has [`Message::ALLOW_UNKNOWN`].
    /// For servers: a misspelt key does not go unnoticed.
    #[default]
    Strict,
    /// Unknown keys are ignored, and so is a payload for a message that has none. For clients: a
    /// server can add fields without breaking clients that were built earlier. Everything else is
    /// as strict as before.
    Lenient,
}

/// Decodes and validates a payload as strictly as a server does: unknown keys are refused at any
/// depth (unless [`Message::ALLOW_UNKNOWN`]), nothing is coerced, and objects are not read from
/// arrays. serde buffers enums with `#[serde(tag = …)]` (without `content`) or `untagged`, and
/// `#[serde(flatten)]`, where unknown keys are not noticed: put `#[serde(deny_unknown_fields)]` on
/// such types. The key that `#[serde(tag = …)]` adds to a struct is known if it holds the name that
/// serde writes and the message is written with it.
///
/// A number that is too large for an `f32` is refused, also in values that serde buffers. There it
/// is found by serialising the message again, so not in a field that is not serialised or that
/// changes its value on the way.
///
/// The cost is linear in the payload. A refused payload is read a second time for its issues, which
/// takes at most five times as long as accepting it. One of less than 4 KiB may be read a few times
/// more, up to 4 KiB in total.
///
/// # What one error contains
///
/// One error has up to 32 issues: wrong types, missing fields and unknown keys of the whole
/// payload, and broken rules. Some issues hide others:
///
/// - A value that its type refuses for a reason of its own (an invalid UUID, a number out of range)
///   ends the reading of the object or array that contains it, which continues only in a payload of
///   less than 4 KiB. If the type also refuses every placeholder for the value, the values behind
///   it in that object or array are not checked.
/// - In values that serde buffers (`flatten`, `untagged`, `tag` without `content`), and in types
///   with a `Deserialize` written by hand, only the first fault is reported.
/// - If values are missing or wrong, the rules that look at one other value are still checked. The
///   rules of a whole type, `must_match`, those of types with `#[serde(from = …)]`, of types that
///   derive only `validator::Validate` and of a [`Message::validate`] written by hand are not: the
///   values that they compare may be missing. If the payload has only unknown keys, all rules are
///   checked.
///
/// ```
/// # use switchboard_core::{Event, Message, decode::{RawPayload, decode}};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Ping { text: String }
/// # impl Message for Ping { type Kind = Event; type Meta = (); const TYPE: &'static str = "PING"; }
/// let ping: Ping = decode(Some(RawPayload::Json(r#"{"text":"hi"}"#))).unwrap();
/// let issues = decode::<Ping>(Some(RawPayload::Json(r#"{"txet":"hi"}"#))).err().unwrap();
/// let found: Vec<_> = issues.iter().map(|i| (i.path(), i.code())).collect();
/// assert_eq!(found, [("text", "missing_field"), ("txet", "unknown_field")]);
/// ```
///
/// # Errors
///
/// All issues, with paths in wire names. Messages never contain the value.
pub fn decode<M: Message>(payload: Option<RawPayload<'_>>) -> Result<M, Issues> {
    decode_with(payload, Mode::Strict)
}

/// Decodes and validates a payload in a [`Mode`]: [`decode`] for servers and for clients.
///
/// # Errors
///
/// Those of [`decode`]. Unknown keys are among them in [`Mode::Strict`] only.
pub fn decode_with<M: Message>(payload: Option<RawPayload<'_>>, mode: Mode) -> Result<M, Issues> {
    let payload = payload.filter(|_| M::HAS_PAYLOAD || mode == Mode::Strict);
    let message = match (payload, M::HAS_PAYLOAD) {
        (None, false) => M::deserialize(UnitDeserializer::<serde::de::value::Error>::new())
            .map_err(|_| Issues::single("", "missing_field", "this message needs a payload"))?,
        (None, true) if M::EMPTY_PAYLOAD => decode_object("{}", mode)?,
        (None, true) => return Err(Issues::single("", "missing_field", "this message needs a payload")),
        (Some(_), false) => return Err(Issues::single("", "unknown_field", "this message has no payload")),
        (Some(RawPayload::Json(json)), true) => decode_object(json, mode)?,
    };
    message.validate()?;
    Ok(message)
}

/// Reads a value from a client that is not a message: as strictly as serde_json, but without keys
/// that have a meaning for serde_json. Unknown keys are ignored.
#[doc(hidden)]
#[must_use]
pub fn read<T: DeserializeOwned>(json: &str) -> Option<T> {
    let suspect = strict::Suspect::default();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = T::deserialize(strict::Strict::new(&mut deserializer, &suspect)).ok()?;
    deserializer.end().is_ok().then_some(value)
}

fn decode_object<M: Message>(json: &str, mode: Mode) -> Result<M, Issues> {
    let refuse_unknown = mode == Mode::Strict && !M::ALLOW_UNKNOWN;
    if !json.starts_with('{') {
        return Err(Issues::single("", "type", "the payload must be an object"));
    }
    let suspect = strict::Suspect::default();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let decoded = M::deserialize(strict::Strict::new(&mut deserializer, &suspect));
    // Anything behind the value is an error.
    match decoded.and_then(|message| deserializer.end().map(|()| message)) {
        Ok(message) if suspect.numbers.get() && single::has_infinite(&message) => {
            drop(message);
            Err(diagnose::too_large::<M>(json, refuse_unknown))
        }
        // The second pass may find nothing wrong. One value at a time, so that there are not two of
        // the client's size in memory.
        Ok(message) if suspect.late_tag.get() || (refuse_unknown && suspect.keys.get()) => {
            drop(message);
            diagnose::json(json, refuse_unknown)
        }
        Ok(message) => Ok(message),
        Err(_) => Err(diagnose::json::<M>(json, refuse_unknown).err().unwrap_or_else(diagnose::not_valid)),
    }
}
