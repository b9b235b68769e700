//! What a route promises its clients, as data: everything that is generated for clients comes from
//! here.

mod build;
mod schema;
mod schemas;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[cfg(feature = "schema")]
pub use self::schemas::{AnyJson, HasSchema, has_schema, schema_bound};
pub use self::{
    build::{Answering, ContractBuilder},
    schema::Schema,
    schemas::{AnySchema, KnownSchema, Schemas, TypeProbe},
};
use crate::{ErrorCode, envelope::EnvelopeStyle, fingerprint};

/// The contract of a route: the messages that it takes and sends, with their JSON Schemas, and the
/// errors.
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
    /// Where the route is mounted.
    pub path: String,
    /// How envelopes look.
    pub envelope: EnvelopeStyle,
    /// The subprotocols that a client may offer. It need not offer one.
    pub protocols: Vec<String>,
    /// What clients send.
    pub inbound: Side,
    /// What the server sends.
    pub outbound: Side,
    /// The error codes of the protocol. An application may have more of its own.
    pub errors: Vec<ErrorContract>,
}

/// What one side of a route sends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Side {
    /// Messages that expect no reply, ordered by type. Replies to requests are not among them.
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
    /// The payload's JSON Schema; `None` if there is no payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Schema>,
    /// The JSON Schema of the keys of its own in `meta`, if it declares any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Schema>,
    /// Whether a server takes in keys that the schema does not name. Clients always should.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unknown: bool,
}

/// A request, and what comes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RpcContract {
    /// The request itself.
    #[serde(flatten)]
    pub request: MessageContract,
    /// What a successful call is answered with. The other side sends it: so its schema refers there.
    /// `None` only where a type that is written by hand does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<MessageContract>,
    /// The JSON Schema of what is reported meanwhile, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Schema>,
}

/// One error code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ErrorContract {
    /// As it stands on the wire.
    pub code: String,
    /// Whether a client may retry; `None` where the server says so with each error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// After how many milliseconds, unless the error says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_ms: Option<u64>,
}

impl Contract {
    /// A short text that is the same for the same contract at any path: 16 hexadecimal digits.
    ///
    /// Neither the order of keys in schemas counts nor how their numbers are written, so it is the same
    /// for every build. The server says it in `$ws:hello`, so that a client can tell that it was generated from another
    /// contract.
    #[must_use]
    pub fn hash(&self) -> String {
        let Self { path: _, envelope, protocols, inbound, outbound, errors } = self;
        // All of these are plain data: they can be written.
        let text = serde_json::to_string(&(envelope, protocols, inbound, outbound, errors)).unwrap_or_default();
        format!("{:016x}", fingerprint(&text) >> 64)
    }
}

impl ErrorContract {
    fn of(code: &ErrorCode) -> Self {
        Self { code: code.as_str().to_owned(), retryable: code.retryable(), backoff_ms: code.backoff_ms() }
    }
}
