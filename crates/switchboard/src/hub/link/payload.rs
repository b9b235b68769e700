//! What a message of a topic carries on the bus, inside the cluster's own envelope.
//!
//! One byte, then the message in the standard JSON envelope. The byte is 0, or 1 and 16 more follow: the number of a
//! publish to several topics, by which a connection that is subscribed to more than one of them gets it once.

use bytes::Bytes;
use uuid::Uuid;

use crate::wire::Frame;

/// The number of a publish to several topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Group([u8; 16]);

impl Group {
    pub(crate) fn new() -> Self {
        Self(*Uuid::now_v7().as_bytes())
    }
}

/// Writes the payload of a message. `None` if it is not text, which messages of topics always are.
pub(super) fn encode(frame: &Frame, group: Option<Group>) -> Option<Vec<u8>> {
    let text = frame.text_payload()?;
    let mut payload = Vec::with_capacity(text.len() + 17);
    match group {
        None => payload.push(0),
        Some(Group(bytes)) => {
            payload.push(1);
            payload.extend_from_slice(&bytes);
        }
    }
    payload.extend_from_slice(text.as_bytes());
    Some(payload)
}

/// Reads the payload of a message. `None` if it is not one that [`encode`] writes.
pub(super) fn decode(payload: &Bytes) -> Option<(Frame, Option<Group>)> {
    let (first, rest) = payload.split_first()?;
    let (group, text) = match first {
        0 => (None, rest),
        1 => {
            let (group, text) = rest.split_first_chunk()?;
            (Some(Group(*group)), text)
        }
        _ => return None,
    };
    Some((Frame::text(std::str::from_utf8(text).ok()?), group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_read_as_they_are_written() {
        let frame = Frame::text(r#"{"type":"A","meta":{}}"#);
        for group in [None, Some(Group::new())] {
            let payload = Bytes::from(encode(&frame, group).unwrap());
            let (read, found) = decode(&payload).unwrap();
            assert_eq!((read.wire(), found), (frame.wire(), group));
        }
        assert!(encode(&Frame::binary(b"\0"), None).is_none());
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [&b""[..], b"\x02{}", b"\x01short", b"\x00\xff"] {
            assert!(decode(&Bytes::from_static(bytes)).is_none(), "{bytes:?}");
        }
    }
}
