//! Message types: their traits, and what handlers may return.

mod kind;
mod meta;
mod reply;
mod set;
mod topic;

use serde::{Serialize, de::DeserializeOwned};

use crate::Issues;
#[cfg(feature = "contract")]
use crate::contract::{Answering, MessageContract, Schema, Schemas};

pub use self::{
    kind::{Event, Kind, Rpc},
    meta::{MessageMeta, RESERVED_META_KEYS},
    reply::{Reply, ReplyWriter},
    set::{AnyMessage, MemberOf, MessageSet},
    topic::{InvalidTopic, check_topic},
};

/// A struct that travels under a type tag.
///
/// Write it with the attribute `#[ws_message("TYPE")]`. What the attribute writes can be written
/// by hand, too; the wire names are then those of the struct's own serde attributes:
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use switchboard_core::{Event, Issues, Message};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct JoinRoom {
///     room_id: String,
/// }
///
/// impl Message for JoinRoom {
///     type Kind = Event;
///     type Meta = ();
///     const TYPE: &'static str = "JOIN_ROOM";
///
///     fn validate(&self) -> Result<(), Issues> {
///         if self.room_id.is_empty() {
///             return Err(Issues::single("roomId", "length", "must not be empty"));
///         }
///         Ok(())
///     }
/// }
/// assert!(JoinRoom { room_id: String::new() }.validate().is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "not a message",
    note = "add `#[ws_message(\"TYPE\")]` to the struct (or derive `WsMessage` with `#[ws(type = \"TYPE\")]`)",
    note = "the last argument of a handler is the message that it handles"
)]
pub trait Message: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// [`Event`](crate::Event), or [`Rpc<Response>`](crate::Rpc) for a request.
    type Kind: Kind;

    /// The keys that the message declares in `meta`; `()` for none.
    type Meta: MessageMeta;

    /// The type tag on the wire: 1–128 bytes without control characters, not reserved.
    const TYPE: &'static str;

    /// Whether the envelope has a `payload`. `false` for a unit struct.
    const HAS_PAYLOAD: bool = true;

    /// Whether an absent payload is read as `{}`, as for a struct written with empty braces.
    const EMPTY_PAYLOAD: bool = false;

    /// Whether a server accepts keys that the type does not declare. Off by default.
    const ALLOW_UNKNOWN: bool = false;

    /// Checks the rules that the types alone do not express.
    ///
    /// Called for every inbound message and, unless switched off, for every outbound one.
    ///
    /// # Errors
    ///
    /// All broken rules, with paths in wire names.
    fn validate(&self) -> Result<(), Issues> {
        Ok(())
    }

    /// Checks the rules of single values, in a message that is refused anyway. Written by the macros.
    #[doc(hidden)]
    fn validate_decoded(&self, _: &crate::decode::Substituted) -> Result<(), Issues> {
        Ok(())
    }

    /// Returns the payload's JSON Schema, for the [`Contract`](crate::Contract). The default is `true`,
    /// which allows anything.
    #[cfg(feature = "contract")]
    fn schema(_: &mut Schemas) -> Schema {
        Schema::any()
    }

    /// Returns the response of a request, for the [`Contract`](crate::Contract): `#[ws_rpc]` writes
    /// `Some(answering.to::<Self>())`. `None` for events.
    #[cfg(feature = "contract")]
    fn response_contract(_: Answering<'_>) -> Option<MessageContract> {
        None
    }

    /// Returns the JSON Schema of a request's progress, if it has any.
    #[cfg(feature = "contract")]
    fn progress_schema(_: &mut Schemas) -> Option<Schema> {
        None
    }
}

/// A message that asks for a reply: `#[ws_rpc("TYPE", response = R)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request",
    label = "not a request",
    note = "add `#[ws_rpc(\"TYPE\", response = Response)]` to the struct"
)]
pub trait Request: Message<Kind = Rpc<<Self as Request>::Response>> {
    /// The message that answers a successful call.
    type Response: Message;

    /// The progress that a handler may report; `()` for none.
    type Progress: Serialize + Send + 'static;
}

/// Checks a type tag: at compile time, where the attributes put it into a constant, and those that came in.
///
/// # Errors
///
/// Says which rule of a type tag is broken.
#[doc(hidden)]
pub const fn check_type_tag(tag: &str) -> Result<(), &'static str> {
    let bytes = tag.as_bytes();
    if bytes.is_empty() {
        return Err("a message type must not be empty");
    }
    if bytes.len() > 128 {
        return Err("a message type must be at most 128 bytes long");
    }
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] < 0x20 || bytes[i] == 0x7f {
            return Err("a message type must not contain control characters");
        }
        // U+0080..U+009F, the C1 controls, are C2 80..9F in UTF-8.
        if bytes[i] == 0xc2 && i + 1 < bytes.len() && bytes[i + 1] < 0xa0 {
            return Err("a message type must not contain control characters");
        }
        i += 1;
    }
    if is_reserved_type(tag) {
        return Err("this message type is reserved: `$ws:…`, `__…`, `ERROR` and `RPC_ERROR` belong to the protocol");
    }
    Ok(())
}

/// Returns whether a tag belongs to the protocol: `$ws:…`, `__…`, `ERROR`, `RPC_ERROR`.
#[must_use]
pub const fn is_reserved_type(tag: &str) -> bool {
    let b = tag.as_bytes();
    starts_with(b, b"$ws:") || starts_with(b, b"__") || equal(b, b"ERROR") || equal(b, b"RPC_ERROR")
}

const fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    if text.len() < prefix.len() {
        return false;
    }
    let mut i = 0;
    while i < prefix.len() {
        if text[i] != prefix[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && starts_with(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_tags() {
        assert!(check_type_tag("JOIN_ROOM").is_ok());
        assert!(check_type_tag("room.join:v2 ünïcode").is_ok());
        assert!(check_type_tag(&"x".repeat(128)).is_ok());
        // The last two bytes are those of a control character only together.
        assert!(check_type_tag("a\u{a0}b").is_ok() && check_type_tag("é\u{a9}").is_ok());
        assert!(check_type_tag("\u{85}").is_err() && check_type_tag("a\u{9f}z").is_err());
        for bad in ["", "a\n", "a\u{85}", "$ws:x", "__x", "ERROR", "RPC_ERROR", &"x".repeat(129)] {
            assert!(check_type_tag(bad).is_err(), "{bad:?}");
        }
    }
}
