//! Writing bus messages.

use bytes::Bytes;

use super::{
    BusMessage, HEAD_BYTES, MAGIC, Origin, Predecessor, UserCount, VERSION,
    codec::{put_bytes, put_integer},
    kind,
};
use crate::{CommandKind, Publish};

/// Encodes a message of any kind.
pub(crate) fn encode(origin: Origin, message: &BusMessage) -> Bytes {
    match message {
        BusMessage::Publish(publish) => {
            let parts = Publish {
                message_type: &publish.message_type,
                payload: &publish.payload,
                conflation_key: publish.conflation_key.as_deref(),
                except: &publish.except,
                unconfirmed: false,
            };
            return encode_publish(origin, publish.sequence, publish.predecessor, &parts);
        }
        BusMessage::Heartbeat(heartbeat) => {
            let mut out = head(origin, kind::HEARTBEAT, 40 + 16 * heartbeat.publishes.len());
            out.extend_from_slice(&heartbeat.publisher.as_u64().to_be_bytes());
            put_integer(&mut out, heartbeat.accepted);
            put_integer(&mut out, heartbeat.users_version);
            out.extend_from_slice(&heartbeat.users_digest.to_be_bytes());
            put_integer(&mut out, heartbeat.publishes.len() as u64);
            for listed in &heartbeat.publishes {
                out.extend_from_slice(&listed.topic_hash.to_be_bytes());
                put_integer(&mut out, listed.sequence);
                put_integer(&mut out, listed.age_ms);
            }
            out
        }
        BusMessage::Leaving => head(origin, kind::LEAVING, 0),
        BusMessage::Users(delta) => {
            let mut out = head(origin, kind::USERS, 32 + users_bytes(&delta.changes));
            put_integer(&mut out, delta.from);
            put_integer(&mut out, delta.to);
            put_users(&mut out, &delta.changes);
            out
        }
        BusMessage::SnapshotRequest { request } => with_payload(origin, kind::SNAPSHOT_REQUEST, &[*request], &[]),
        BusMessage::Snapshot(page) => {
            let mut out = head(origin, kind::SNAPSHOT, 48 + users_bytes(&page.users));
            put_integer(&mut out, page.request);
            put_integer(&mut out, page.version);
            put_integer(&mut out, page.page);
            out.push(page.is_last.into());
            put_users(&mut out, &page.users);
            out
        }
        BusMessage::Command { command, is_applied, kind, payload } => {
            let mut out = head(origin, kind::COMMAND, 12 + payload.len());
            put_integer(&mut out, *command);
            out.push((*is_applied).into());
            out.push(command_kind(*kind));
            out.extend_from_slice(payload);
            out
        }
        BusMessage::Acknowledgement { command, connections } => {
            let mut out = head(origin, kind::ACKNOWLEDGEMENT, 16);
            put_integer(&mut out, *command);
            put_integer(&mut out, (*connections).into());
            out
        }
        BusMessage::Question { question, payload } => with_payload(origin, kind::QUESTION, &[*question], payload),
        BusMessage::Answer { question, payload } => with_payload(origin, kind::ANSWER, &[*question], payload),
        BusMessage::Probe { number } => with_payload(origin, kind::PROBE, &[*number], &[]),
        BusMessage::ClientRequest { request, time_ms, payload } => {
            with_payload(origin, kind::CLIENT_REQUEST, &[*request, *time_ms], payload)
        }
        BusMessage::ClientResponse { request, number, payload } => {
            with_payload(origin, kind::CLIENT_RESPONSE, &[*request, *number], payload)
        }
        BusMessage::ClientRequestDone { request, responses, is_complete } => {
            let is_complete = [u8::from(*is_complete)];
            with_payload(origin, kind::CLIENT_REQUEST_DONE, &[*request, *responses], &is_complete)
        }
        BusMessage::ClientRequestCancelled { request } => {
            with_payload(origin, kind::CLIENT_REQUEST_CANCELLED, &[*request], &[])
        }
    }
    .into()
}

/// Encodes a publish from borrowed parts: its payload is copied once.
pub(crate) fn encode_publish(
    origin: Origin,
    sequence: u64,
    predecessor: Option<Predecessor>,
    publish: &Publish<'_>,
) -> Bytes {
    let Publish { message_type, payload, conflation_key, except, .. } = publish;
    let key_bytes = conflation_key.map_or(0, str::len);
    let body = 48 + 16 * except.len() + key_bytes + message_type.len() + payload.len();
    let mut out = head(origin, kind::PUBLISH, body);
    put_integer(&mut out, sequence);
    match predecessor {
        Some(Predecessor { sequence: before, age_ms }) => {
            put_integer(&mut out, sequence.saturating_sub(before));
            put_integer(&mut out, age_ms);
        }
        None => put_integer(&mut out, 0),
    }
    put_integer(&mut out, except.len() as u64);
    except.iter().for_each(|connection| out.extend_from_slice(connection));
    match conflation_key {
        Some(key) => {
            out.push(1);
            put_bytes(&mut out, key.as_bytes());
        }
        None => out.push(0),
    }
    put_bytes(&mut out, message_type.as_bytes());
    out.extend_from_slice(payload);
    out.into()
}

fn head(origin: Origin, kind: u8, body: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES + body);
    out.extend_from_slice(&[MAGIC, VERSION, kind]);
    out.extend_from_slice(origin.node.as_bytes());
    out.extend_from_slice(&origin.incarnation.as_u64().to_be_bytes());
    out
}

/// Writes integers, and bytes as they are.
fn with_payload(origin: Origin, kind: u8, integers: &[u64], payload: &[u8]) -> Vec<u8> {
    let mut out = head(origin, kind, 10 * integers.len() + payload.len());
    integers.iter().for_each(|integer| put_integer(&mut out, *integer));
    out.extend_from_slice(payload);
    out
}

fn users_bytes(users: &[UserCount]) -> usize {
    users.iter().map(|user| user.key.as_str().len() + 7).sum()
}

fn put_users(out: &mut Vec<u8>, users: &[UserCount]) {
    put_integer(out, users.len() as u64);
    for user in users {
        put_bytes(out, user.key.as_str().as_bytes());
        put_integer(out, user.connections.into());
    }
}

fn command_kind(kind: CommandKind) -> u8 {
    match kind {
        CommandKind::Send => 1,
        CommandKind::Disconnect => 2,
        CommandKind::Revoke => 3,
        CommandKind::Reauthorize => 4,
    }
}
