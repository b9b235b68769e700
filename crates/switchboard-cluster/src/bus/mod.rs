//! What nodes send each other: the format on the broker's channels, byte for byte.
//!
//! A message begins with a head of 27 bytes:
//!
//! | bytes | field |
//! |---|---|
//! | 1 | `0xb5`, which begins neither JSON nor text |
//! | 1 | version of the format: 1 |
//! | 1 | kind of the message, below |
//! | 16 | the sending node |
//! | 8 | its incarnation, big-endian; of a publish: that with which the process began, because sequences go on when the incarnation changes |
//!
//! The body follows. *int* is an unsigned integer as LEB128 (7 bits a byte, the lowest first), *bytes* an int and as many
//! bytes, *text* the same in UTF-8, *list* an int and as many elements.
//!
//! | kind | channel | body |
//! |---|---|---|
//! | 1 publish | topic | sequence: int; predecessor: int, how far below the sequence (0: none known); age of the predecessor in ms: int, missing if there is none; excluded connections: list of 16 bytes; conflation key: byte 0, or byte 1 and text; type: text; payload: the rest |
//! | 2 heartbeat | all nodes | incarnation of the sender's publishes: 8 bytes; accepted heartbeats: int; version of the users: int; digest of the users: 8 bytes; publishes: list of (hash of the topic: 8 bytes, sequence: int, age in ms: int) |
//! | 3 leaving | all nodes | – |
//! | 4 users | all nodes | from version: int; to version: int; list of (key: text, connections: int) |
//! | 5 snapshot request | inbox | request: int |
//! | 6 snapshot | inbox | request: int; version: int; page: int; byte 1 if it is the last; list of (key: text, connections: int) |
//! | 7 command | user | command: int; byte 1 if the sending node has applied it to its own connections; byte: 1 send, 2 disconnect, 3 revoke, 4 reauthorize; payload: the rest |
//! | 8 acknowledgement | inbox | command: int; connections: int |
//! | 9 question | all nodes | question: int; payload: the rest |
//! | 10 answer | inbox | question: int; payload: the rest |
//! | 11 probe | inbox | number: int |
//! | 12 client request | user, all nodes | request: int; time that clients have in ms: int; payload: the rest |
//! | 13 client response | inbox | request: int; number, from 1 for each node: int; payload: the rest |
//! | 14 client request done | inbox | request: int; responses: int; byte 1 if all clients of the node were asked |
//! | 15 client request cancelled | user, all nodes | request: int |
//!
//! A receiver skips and counts messages of a later version and of kinds that it does not know, so nodes with different
//! versions of this crate can share a broker. It also counts messages that it cannot read. A field is never added to a
//! kind of version 1.

mod codec;
mod decode;
mod encode;
#[cfg(test)]
pub(crate) mod tests;

use bytes::Bytes;
use switchboard_core::broker::{Incarnation, NodeId, UserKey};

pub(crate) use self::{
    codec::Malformed,
    decode::{Decoded, decode},
    encode::{encode, encode_publish},
};
use crate::CommandKind;

/// The first byte of each message.
const MAGIC: u8 = 0xb5;
/// The version of the format that is written, and the latest that is read.
const VERSION: u8 = 1;
/// The bytes before the body.
const HEAD_BYTES: usize = 27;

mod kind {
    pub(super) const PUBLISH: u8 = 1;
    pub(super) const HEARTBEAT: u8 = 2;
    pub(super) const LEAVING: u8 = 3;
    pub(super) const USERS: u8 = 4;
    pub(super) const SNAPSHOT_REQUEST: u8 = 5;
    pub(super) const SNAPSHOT: u8 = 6;
    pub(super) const COMMAND: u8 = 7;
    pub(super) const ACKNOWLEDGEMENT: u8 = 8;
    pub(super) const QUESTION: u8 = 9;
    pub(super) const ANSWER: u8 = 10;
    pub(super) const PROBE: u8 = 11;
    pub(super) const CLIENT_REQUEST: u8 = 12;
    pub(super) const CLIENT_RESPONSE: u8 = 13;
    pub(super) const CLIENT_REQUEST_DONE: u8 = 14;
    pub(super) const CLIENT_REQUEST_CANCELLED: u8 = 15;
}

/// Which life of which node sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) node: NodeId,
    pub(crate) incarnation: Incarnation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BusMessage {
    Publish(BusPublish),
    Heartbeat(Heartbeat),
    Leaving,
    Users(UsersDelta),
    SnapshotRequest { request: u64 },
    Snapshot(SnapshotPage),
    Command { command: u64, is_applied: bool, kind: CommandKind, payload: Bytes },
    Acknowledgement { command: u64, connections: u32 },
    Question { question: u64, payload: Bytes },
    Answer { question: u64, payload: Bytes },
    Probe { number: u64 },
    ClientRequest { request: u64, time_ms: u64, payload: Bytes },
    ClientResponse { request: u64, number: u64, payload: Bytes },
    ClientRequestDone { request: u64, responses: u64, is_complete: bool },
    ClientRequestCancelled { request: u64 },
}

/// A message of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BusPublish {
    /// Increases with each publish of its origin, over all topics.
    pub(crate) sequence: u64,
    /// The origin's message before this one in the same topic.
    pub(crate) predecessor: Option<Predecessor>,
    pub(crate) except: Vec<[u8; 16]>,
    pub(crate) conflation_key: Option<Box<str>>,
    pub(crate) message_type: Box<str>,
    pub(crate) payload: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Predecessor {
    pub(crate) sequence: u64,
    /// How long before this message it was published, in milliseconds.
    pub(crate) age_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heartbeat {
    /// The incarnation with which this process publishes: the first one.
    pub(crate) publisher: Incarnation,
    /// How many earlier heartbeats of this origin the broker has accepted.
    pub(crate) accepted: u64,
    pub(crate) users_version: u64,
    pub(crate) users_digest: u64,
    pub(crate) publishes: Vec<ListedPublish>,
}

/// The latest message of the heartbeat's origin in one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListedPublish {
    pub(crate) topic_hash: u64,
    pub(crate) sequence: u64,
    pub(crate) age_ms: u64,
}

/// How many connections a user has on the sending node. None: the user has left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserCount {
    pub(crate) key: UserKey,
    pub(crate) connections: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsersDelta {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) changes: Vec<UserCount>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SnapshotPage {
    pub(crate) request: u64,
    pub(crate) version: u64,
    pub(crate) page: u64,
    pub(crate) is_last: bool,
    pub(crate) users: Vec<UserCount>,
}

/// Returns whether encoded bytes are a heartbeat.
#[cfg(feature = "simulate")]
pub(crate) fn is_heartbeat(message: &[u8]) -> bool {
    message.starts_with(&[MAGIC, VERSION, kind::HEARTBEAT])
}
