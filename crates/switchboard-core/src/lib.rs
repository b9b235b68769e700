//! The part of Switchboard that does no I/O: messages and their kinds, the envelope, errors and
//! close codes, validation.
//!
//! Applications use the crate `switchboard`, which re-exports all of this. Adapters (brokers,
//! clients, generators) depend on this crate alone.

// So that the payloads of a benchmark serve a test, too.
#[cfg(test)]
extern crate self as switchboard_core;

mod close;
pub mod contract;
pub mod decode;
pub mod envelope;
mod error;
mod fingerprint;
mod issue;
mod json;
mod kind;
mod message;
mod meta;
mod reply;
mod topic;
mod union;
#[doc(hidden)]
pub mod validation;

pub use self::{
    close::{CloseCode, close_reason},
    contract::Contract,
    error::{BoxError, ErrorCode, LimitReached, WsError},
    fingerprint::fingerprint,
    issue::{Issue, Issues, MAX_ISSUES},
    kind::{Event, Kind, Rpc},
    message::{Message, Request, check_type_tag, is_reserved_type},
    meta::{MessageMeta, RESERVED_META_KEYS},
    reply::{Reply, ReplyWriter},
    topic::{InvalidTopic, check_topic},
    union::{AnyMessage, MemberOf, MessageSet},
    validation::validate,
};

/// What the attributes of `switchboard-macros` refer to. Not API.
#[doc(hidden)]
pub mod __private {
    pub use crate::contract::{
        Answering, AnySchema, ContractBuilder, KnownSchema, MessageContract, Schema, Schemas, TypeProbe,
    };
    #[cfg(feature = "schema")]
    pub use crate::contract::{AnyJson, has_schema, schema_bound};
    /// The rules that the macros write.
    pub use crate::validation as rules;
    #[cfg(feature = "schema")]
    pub use schemars;
    pub use serde;
    pub use validator;
}
