//! Reading bus messages.

use bytes::Bytes;
use switchboard_core::broker::{Incarnation, NodeId, UserKey};

use super::{
    BusMessage, BusPublish, Heartbeat, ListedPublish, MAGIC, Malformed, Origin, Predecessor, SnapshotPage, UserCount,
    UsersDelta, VERSION, codec::Reader, kind,
};
use crate::CommandKind;

/// What bytes from the broker turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decoded {
    Message(Origin, BusMessage),
    /// Of a later version, or of a kind that a later version has added.
    Newer,
}

/// Decodes a message. Payloads share the memory of `bytes`.
pub(crate) fn decode(bytes: Bytes) -> Result<Decoded, Malformed> {
    let mut reader = Reader::new(bytes);
    if reader.byte()? != MAGIC {
        return Err(Malformed);
    }
    match reader.byte()? {
        0 => return Err(Malformed),
        VERSION => {}
        _ => return Ok(Decoded::Newer),
    }
    let kind = reader.byte()?;
    let node = NodeId::from_bytes(reader.array()?);
    let origin = Origin { node, incarnation: Incarnation::from_u64(reader.fixed64()?) };
    let message = match kind {
        kind::PUBLISH => BusMessage::Publish(publish(reader)?),
        kind::HEARTBEAT => BusMessage::Heartbeat(heartbeat(reader)?),
        kind::LEAVING => {
            reader.end()?;
            BusMessage::Leaving
        }
        kind::USERS => {
            let (from, to) = (reader.integer()?, reader.integer()?);
            BusMessage::Users(UsersDelta { from, to, changes: users(reader)? })
        }
        kind::SNAPSHOT_REQUEST => BusMessage::SnapshotRequest { request: only_integer(reader)? },
        kind::SNAPSHOT => {
            let (request, version, page) = (reader.integer()?, reader.integer()?, reader.integer()?);
            let is_last = flag(&mut reader)?;
            BusMessage::Snapshot(SnapshotPage { request, version, page, is_last, users: users(reader)? })
        }
        kind::COMMAND => {
            let (command, is_applied) = (reader.integer()?, flag(&mut reader)?);
            let kind = match reader.byte()? {
                1 => CommandKind::Send,
                2 => CommandKind::Disconnect,
                3 => CommandKind::Revoke,
                4 => CommandKind::Reauthorize,
                _ => return Ok(Decoded::Newer),
            };
            BusMessage::Command { command, is_applied, kind, payload: reader.rest() }
        }
        kind::ACKNOWLEDGEMENT => {
            let (command, connections) = (reader.integer()?, reader.integer32()?);
            reader.end()?;
            BusMessage::Acknowledgement { command, connections }
        }
        kind::QUESTION => BusMessage::Question { question: reader.integer()?, payload: reader.rest() },
        kind::ANSWER => BusMessage::Answer { question: reader.integer()?, payload: reader.rest() },
        kind::PROBE => BusMessage::Probe { number: only_integer(reader)? },
        kind::CLIENT_REQUEST => {
            let (request, time_ms) = (reader.integer()?, reader.integer()?);
            BusMessage::ClientRequest { request, time_ms, payload: reader.rest() }
        }
        kind::CLIENT_RESPONSE => {
            let (request, number) = (reader.integer()?, reader.integer()?);
            BusMessage::ClientResponse { request, number, payload: reader.rest() }
        }
        kind::CLIENT_REQUEST_DONE => {
            let (request, responses) = (reader.integer()?, reader.integer()?);
            let is_complete = flag(&mut reader)?;
            reader.end()?;
            BusMessage::ClientRequestDone { request, responses, is_complete }
        }
        kind::CLIENT_REQUEST_CANCELLED => BusMessage::ClientRequestCancelled { request: only_integer(reader)? },
        _ => return Ok(Decoded::Newer),
    };
    Ok(Decoded::Message(origin, message))
}

fn publish(mut reader: Reader) -> Result<BusPublish, Malformed> {
    let sequence = reader.integer()?;
    let predecessor = match reader.integer()? {
        0 => None,
        distance => {
            let before = sequence.checked_sub(distance).ok_or(Malformed)?;
            Some(Predecessor { sequence: before, age_ms: reader.integer()? })
        }
    };
    let except = (0..reader.count(16)?).map(|_| reader.array()).collect::<Result<_, _>>()?;
    let conflation_key = if flag(&mut reader)? { Some(reader.text()?.into()) } else { None };
    let message_type = reader.text()?.into();
    Ok(BusPublish { sequence, predecessor, except, conflation_key, message_type, payload: reader.rest() })
}

fn heartbeat(mut reader: Reader) -> Result<Heartbeat, Malformed> {
    let publisher = Incarnation::from_u64(reader.fixed64()?);
    let (accepted, users_version, users_digest) = (reader.integer()?, reader.integer()?, reader.fixed64()?);
    // A hash and two integers of at least one byte.
    let publishes = (0..reader.count(10)?)
        .map(|_| {
            let (topic_hash, sequence, age_ms) = (reader.fixed64()?, reader.integer()?, reader.integer()?);
            Ok(ListedPublish { topic_hash, sequence, age_ms })
        })
        .collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(Heartbeat { publisher, accepted, users_version, users_digest, publishes })
}

fn users(mut reader: Reader) -> Result<Vec<UserCount>, Malformed> {
    // A key of at least one byte with its length, and a number.
    let users = (0..reader.count(3)?)
        .map(|_| {
            let key = UserKey::new(reader.text()?).map_err(|_| Malformed)?;
            Ok(UserCount { key, connections: reader.integer32()? })
        })
        .collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(users)
}

fn flag(reader: &mut Reader) -> Result<bool, Malformed> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed),
    }
}

fn only_integer(mut reader: Reader) -> Result<u64, Malformed> {
    let integer = reader.integer()?;
    reader.end()?;
    Ok(integer)
}
