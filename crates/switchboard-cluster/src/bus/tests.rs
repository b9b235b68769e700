use proptest::{collection::vec, option, prelude::*};

use super::*;

fn origin() -> Origin {
    Origin { node: NodeId::from_bytes([0xaa; 16]), incarnation: Incarnation::from_u64(0x0102) }
}

fn users() -> impl Strategy<Value = Vec<UserCount>> {
    let user = ("\\PC{1,40}", any::<u32>())
        .prop_map(|(key, connections)| UserCount { key: UserKey::new(key).unwrap(), connections });
    vec(user, 0..8)
}

fn payload() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..64).prop_map(Bytes::from)
}

fn publish() -> impl Strategy<Value = BusPublish> {
    let sequence = (1_u64.., any::<u64>(), any::<u64>()).prop_map(|(sequence, before, age_ms)| {
        let before = before % sequence;
        (sequence, Some(Predecessor { sequence: before, age_ms }).filter(|_| age_ms % 3 > 0))
    });
    (sequence, vec(any::<[u8; 16]>(), 0..3), option::of(".{0,9}"), ".{0,20}", payload()).prop_map(
        |((sequence, predecessor), except, key, message_type, payload)| BusPublish {
            sequence,
            predecessor,
            except,
            conflation_key: key.map(Into::into),
            message_type: message_type.into(),
            payload,
        },
    )
}

pub(crate) fn message() -> impl Strategy<Value = BusMessage> {
    let listed = (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(topic_hash, sequence, age_ms)| ListedPublish {
        topic_hash,
        sequence,
        age_ms,
    });
    let heartbeat = (any::<[u64; 4]>(), vec(listed, 0..8)).prop_map(
        |([publisher, accepted, users_version, users_digest], publishes)| {
            let publisher = Incarnation::from_u64(publisher);
            BusMessage::Heartbeat(Heartbeat { publisher, accepted, users_version, users_digest, publishes })
        },
    );
    let kind = prop_oneof![
        Just(CommandKind::Send),
        Just(CommandKind::Disconnect),
        Just(CommandKind::Revoke),
        Just(CommandKind::Reauthorize),
    ];
    prop_oneof![
        publish().prop_map(BusMessage::Publish),
        heartbeat,
        Just(BusMessage::Leaving),
        (any::<[u64; 2]>(), users()).prop_map(|([from, to], changes)| BusMessage::Users(UsersDelta {
            from,
            to,
            changes
        })),
        any::<u64>().prop_map(|request| BusMessage::SnapshotRequest { request }),
        (any::<[u64; 3]>(), any::<bool>(), users()).prop_map(|([request, version, page], is_last, users)| {
            BusMessage::Snapshot(SnapshotPage { request, version, page, is_last, users })
        }),
        (any::<u64>(), any::<bool>(), kind, payload()).prop_map(|(command, is_applied, kind, payload)| {
            BusMessage::Command { command, is_applied, kind, payload }
        }),
        any::<(u64, u32)>().prop_map(|(command, connections)| BusMessage::Acknowledgement { command, connections }),
        (any::<u64>(), payload()).prop_map(|(question, payload)| BusMessage::Question { question, payload }),
        (any::<u64>(), payload()).prop_map(|(question, payload)| BusMessage::Answer { question, payload }),
        any::<u64>().prop_map(|number| BusMessage::Probe { number }),
        (any::<[u64; 2]>(), payload()).prop_map(|([request, time_ms], payload)| BusMessage::ClientRequest {
            request,
            time_ms,
            payload
        }),
        (any::<[u64; 2]>(), payload()).prop_map(|([request, number], payload)| BusMessage::ClientResponse {
            request,
            number,
            payload
        }),
        any::<(u64, u64, bool)>().prop_map(|(request, responses, is_complete)| BusMessage::ClientRequestDone {
            request,
            responses,
            is_complete
        }),
        any::<u64>().prop_map(|request| BusMessage::ClientRequestCancelled { request }),
    ]
}

proptest! {
    #[test]
    fn every_message_is_read_as_it_was_written(message in message()) {
        let bytes = encode(origin(), &message);
        prop_assert_eq!(decode(bytes), Ok(Decoded::Message(origin(), message)));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(bytes.into());
    }

    #[test]
    fn a_damaged_message_is_read_or_refused(message in message(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(origin(), &message).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode(bytes.into());
    }

    #[test]
    fn a_message_that_was_cut_before_its_payload_is_refused(message in message(), at in any::<prop::sample::Index>()) {
        let bytes = encode(origin(), &message);
        let payload = match &message {
            BusMessage::Publish(publish) => publish.payload.len(),
            BusMessage::Command { payload, .. }
            | BusMessage::Question { payload, .. }
            | BusMessage::Answer { payload, .. }
            | BusMessage::ClientRequest { payload, .. }
            | BusMessage::ClientResponse { payload, .. } => payload.len(),
            _ => 0,
        };
        let cut = at.index(bytes.len() - payload);
        prop_assert_eq!(decode(bytes.slice(..cut)), Err(Malformed));
    }
}

#[test]
fn a_publish_has_the_documented_bytes() {
    let publish = BusPublish {
        sequence: 300,
        predecessor: Some(Predecessor { sequence: 299, age_ms: 5 }),
        except: vec![[0xcc; 16]],
        conflation_key: Some("k".into()),
        message_type: "T".into(),
        payload: Bytes::from_static(b"{}"),
    };
    let mut expected = vec![0xb5, 1, 1];
    expected.extend([0xaa; 16]);
    expected.extend([0, 0, 0, 0, 0, 0, 1, 2]);
    expected.extend([0xac, 0x02, 1, 5, 1]);
    expected.extend([0xcc; 16]);
    expected.extend([1, 1, b'k', 1, b'T', b'{', b'}']);
    assert_eq!(encode(origin(), &BusMessage::Publish(publish)), expected);
}

#[test]
fn later_versions_and_kinds_are_told_from_garbage() {
    let bytes = encode(origin(), &BusMessage::Leaving).to_vec();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        decode(bytes.into())
    };
    assert_eq!(with(1, 2), Ok(Decoded::Newer));
    assert_eq!(with(2, 99), Ok(Decoded::Newer));
    assert_eq!(with(1, 0), Err(Malformed));
    assert_eq!(with(0, b'{'), Err(Malformed));
    assert_eq!(decode([&bytes[..], b"x"].concat().into()), Err(Malformed), "nothing follows the body");
}

#[test]
fn a_length_that_the_message_cannot_hold_allocates_nothing() {
    let mut bytes = encode(origin(), &BusMessage::Leaving).to_vec();
    bytes[2] = kind::HEARTBEAT;
    bytes.extend([0; 8]);
    bytes.extend([0, 0]);
    bytes.extend([0; 8]);
    bytes.extend([0xff; 9]);
    bytes.push(1);
    assert_eq!(decode(bytes.into()), Err(Malformed));
}

#[test]
fn payloads_share_the_memory_of_the_message() {
    let question = BusMessage::Question { question: 1, payload: Bytes::from_static(b"payload") };
    let bytes = encode(origin(), &question);
    let Ok(Decoded::Message(_, BusMessage::Question { payload, .. })) = decode(bytes.clone()) else { panic!() };
    assert_eq!(payload.as_ptr(), bytes[bytes.len() - 7..].as_ptr());
}
