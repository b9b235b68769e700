//! What a route promises its clients, as data: the source of everything that is generated for
//! clients.

mod annotations;
mod build;
mod fingerprint;
#[cfg(feature = "schema")]
mod optional;
mod schema;
mod schemas;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::fingerprint::fingerprint;
#[cfg(feature = "schema")]
pub use self::schemas::{AnyJson, HasSchema, has_schema, schema_bound};
pub use self::{
    build::{Answering, ContractBuilder},
    schema::Schema,
    schemas::{AnySchema, KnownSchema, Schemas, TypeProbe},
};
use crate::{ErrorCode, envelope::EnvelopeStyle};

/// The contract of a route: inbound and outbound messages with their JSON Schemas, and errors.
///
/// `WsRouter::contract` makes it. Written as JSON, the schemas refer to each other by JSON
/// Pointers into the whole document; they are of draft 2020-12. Without the feature `schema`, and of
/// types that do not derive `JsonSchema`, a schema is `true`, which allows anything.
///
/// ```
/// use switchboard_core::Contract;
///
/// let json = r##"{
///     "path": "/ws",
///     "envelope": "standard",
///     "protocols": ["switchboard.v1.json"],
///     "inbound": {
///         "messages": [{ "type": "PING", "payload": { "$ref": "#/inbound/$defs/Ping" } }],
///         "rpcs": [],
///         "$defs": { "Ping": { "type": "object" } }
///     },
///     "outbound": { "messages": [], "rpcs": [], "$defs": {} },
///     "errors": [{ "code": "INTERNAL" }]
/// }"##;
/// let contract: Contract = serde_json::from_str(json)?;
/// assert_eq!(contract.inbound.messages[0].message_type, "PING");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Contract {
    /// The path of the route.
    pub path: String,
    /// The envelope style.
    pub envelope: EnvelopeStyle,
    /// The subprotocols that a client may offer. It need not offer one.
    pub protocols: Vec<String>,
    /// Messages that clients send.
    pub inbound: Side,
    /// Messages that the server sends.
    pub outbound: Side,
    /// The topics that clients may subscribe to, ordered by pattern.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<TopicContract>,
    /// The error codes of the protocol. Those of the application are in [`RpcContract::errors`].
    pub errors: Vec<ErrorContract>,
    /// Limits of the server, such as `maxMessageBytes`, by name. They are not part of the hash.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, u64>,
}

/// What one side of a route sends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Side {
    /// Events, ordered by type.
    pub messages: Vec<MessageContract>,
    /// Requests, ordered by type.
    pub rpcs: Vec<RpcContract>,
    /// The schemas of the types that the others refer to, by name.
    #[serde(rename = "$defs")]
    pub definitions: BTreeMap<String, Schema>,
}

/// One type of message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MessageContract {
    /// The type tag.
    #[serde(rename = "type")]
    pub message_type: String,
    /// The doc comment of the Rust type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the Rust type is `#[deprecated]`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// The payload's JSON Schema; `None` if there is no payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Schema>,
    /// The JSON Schema of the keys that it declares in `meta`, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Schema>,
    /// Whether a server accepts keys that the schema does not name. Clients always should.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unknown: bool,
}

/// A request with its response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RpcContract {
    /// The request itself.
    #[serde(flatten)]
    pub request: MessageContract,
    /// The message that answers a successful call. The other side sends it, so its schema refers there.
    /// `None` only where a type that is written by hand does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<MessageContract>,
    /// The JSON Schema of the progress, if the request has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Schema>,
    /// The error codes of the application that the request may fail with, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// A topic that clients may subscribe to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TopicContract {
    /// The name of a topic, or a pattern with one placeholder, such as `room:{id}`.
    pub pattern: String,
    /// The types of its messages, sorted. They are among the messages that the server sends.
    pub messages: Vec<String>,
}

/// One error code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ErrorContract {
    /// The code as sent on the wire.
    pub code: String,
    /// Whether a client may retry; `None` where the server says so with each error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// After how many milliseconds, unless the error says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_ms: Option<u64>,
}

impl Contract {
    /// Returns a hash of the contract without its path and limits: 16 hexadecimal digits.
    ///
    /// The order of keys in schemas, the notation of numbers, descriptions and deprecations do not count, so the
    /// hash is the same for every build. The server sends it in `$ws:hello`: a client sees whether it was generated
    /// from another contract.
    #[must_use]
    pub fn hash(&self) -> String {
        let Self { path: _, envelope, protocols, inbound, outbound, topics, errors, limits: _ } = self;
        let sides = (inbound.without_annotations(), outbound.without_annotations());
        // All of these are plain data: they can be written.
        let text = serde_json::to_string(&(envelope, protocols, sides, topics, errors)).unwrap_or_default();
        format!("{:016x}", fingerprint(&text) >> 64)
    }
}

impl ErrorContract {
    fn of(code: &ErrorCode) -> Self {
        Self { code: code.as_str().to_owned(), retryable: code.retryable(), backoff_ms: code.backoff_ms() }
    }
}
