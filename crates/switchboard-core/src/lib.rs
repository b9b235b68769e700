//! The part of Switchboard without I/O: messages, the envelope, decoding, validation, errors and close codes.
//!
//! Servers use the crate `switchboard`, which re-exports all of this. Two kinds of crates depend on this one
//! alone:
//!
//! - a crate of messages that a server shares with its clients, down to a front end in WebAssembly: no axum, tokio
//!   or hyper is in its dependency tree,
//! - adapters, such as clients, brokers and generators.
//!
//! ```
//! # #[cfg(feature = "macros")] {
//! use switchboard_core::{
//!     Message,
//!     decode::{Mode, RawPayload, decode, decode_with},
//!     ws_message,
//! };
//!
//! #[ws_message("JOIN_ROOM")]
//! #[derive(Debug)]
//! struct JoinRoom {
//!     room_id: String,
//! }
//!
//! // A server refuses keys that it does not know.
//! let payload = RawPayload::Json(r#"{"roomId":"lobby","since":5}"#);
//! assert_eq!(decode::<JoinRoom>(Some(payload)).unwrap_err().to_string(), "since is not a known field");
//!
//! // A client ignores them, so that a server can add fields.
//! let join: JoinRoom = decode_with(Some(payload), Mode::Lenient).unwrap();
//! assert_eq!((JoinRoom::TYPE, join.room_id.as_str()), ("JOIN_ROOM", "lobby"));
//! # }
//! ```
//!
//! # Modules
//!
//! | module | what |
//! |---|---|
//! | [`decode`] | from a JSON payload to a message, with the issues of one that is refused |
//! | [`envelope`] | reading and writing `{"type", "meta", "payload"}`, in JSON and MessagePack |
//! | [`rate_limit`] | where limits by key are counted: a trait for stores that nodes share |
//! | `contract` | what a route promises its clients, as data |
//! | `broker` | the transport between several nodes: a trait for adapters, and one in memory |
//! | `adapter` | parts that adapters have in common |
//! | `conformance` | the suite that adapters pass |
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `macros` | yes | `#[ws_message]` and the other macros for messages |
//! | `validator` | no | `#[validate(…)]` on fields of messages |
//! | `msgpack` | no | MessagePack beside JSON |
//! | `contract` | no | `Contract`, and fingerprints of JSON values |
//! | `broker` | no | the trait `Broker`, and a broker in memory |
//! | `adapter` | no | bounded queues and pauses for adapters; includes `broker`, and the only feature with tokio |
//! | `conformance` | no | the suite for adapters; includes `broker` |
//! | `axum` | no | `WsError` is a response of axum's |
//! | `schema` | no | the macros derive `schemars::JsonSchema`; includes `contract` |
//! | `bytes`, `chrono`, `rust_decimal`, `time`, `url`, `uuid` | no | types of the crate of that name in messages |
//!
//! The crate `switchboard` turns on the first four; the others have features of the same name there.

// So that the payloads of a benchmark serve a test, too.
#[cfg(test)]
extern crate self as switchboard_core;

#[cfg(feature = "adapter")]
pub mod adapter;
pub mod as_string;
#[cfg(feature = "broker")]
pub mod broker;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "contract")]
pub mod contract;
pub mod decode;
mod diagnostics;
pub mod envelope;
mod error;
mod json;
mod message;
pub mod rate_limit;
#[cfg(feature = "validator")]
#[doc(hidden)]
pub mod validation;

#[cfg(feature = "macros")]
pub use switchboard_macros::{
    CoreWsMessage as WsMessage, CoreWsMessages as WsMessages, core_ws_message as ws_message, core_ws_meta as ws_meta,
    core_ws_payload as ws_payload, core_ws_rpc as ws_rpc,
};
/// The crate behind `#[validate(…)]`, for rules of your own: `validator::ValidationError`.
#[cfg(feature = "validator")]
pub use validator;

#[cfg(feature = "contract")]
pub use self::contract::{Contract, fingerprint};
#[cfg(feature = "validator")]
pub use self::validation::validate;
pub use self::{
    error::{
        BoxError, CloseCode, ErrorCode, Issue, Issues, LimitReached, MAX_ISSUES, RetryAfter, WsError, close_reason,
    },
    message::{
        AnyMessage, Event, InvalidTopic, Kind, MemberOf, Message, MessageMeta, MessageSet, RESERVED_META_KEYS, Reply,
        ReplyWriter, Request, Rpc, check_topic, check_type_tag, is_reserved_type,
    },
};

/// What the macros refer to. Not API: it changes without notice.
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "schema")]
    pub use schemars;
    pub use serde;
    #[cfg(feature = "macros")]
    pub use switchboard_macros::Evaluate;
    #[cfg(feature = "validator")]
    pub use validator;

    pub use crate::as_string;
    #[cfg(feature = "contract")]
    pub use crate::contract::{
        Answering, AnySchema, ContractBuilder, KnownSchema, MessageContract, Schema, Schemas, TypeProbe,
    };
    #[cfg(feature = "schema")]
    pub use crate::contract::{AnyJson, has_schema, schema_bound};
    pub use crate::decode::Substituted;
    pub use crate::diagnostics::{field_type, handled_message};
    /// The rules that the macros write.
    #[cfg(feature = "validator")]
    pub use crate::validation as rules;
    pub use crate::{
        AnyMessage, Event, Issues, MemberOf, Message, MessageMeta, MessageSet, RESERVED_META_KEYS, Reply, Request, Rpc,
        check_type_tag,
    };
}
