//! The commands of Redis that this crate sends, and their encoding.

use bytes::{BufMut, Bytes, BytesMut};
use redis::{PushKind, Value};

/// A command, not encoded yet: a payload is copied once, into the output buffer.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    Publish {
        sharded: bool,
        channel: Bytes,
        frame: Bytes,
        message: Bytes,
    },
    Subscribe {
        sharded: bool,
        channel: Bytes,
    },
    Unsubscribe {
        sharded: bool,
        channel: Bytes,
    },
    /// Anything else, such as `PING`.
    Words(Vec<Bytes>),
}

impl Command {
    pub(crate) fn words<const N: usize>(words: [&str; N]) -> Self {
        Self::Words(words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect())
    }

    /// The memory that the command takes while it waits, in bytes.
    pub(crate) fn len(&self) -> usize {
        const OVERHEAD: usize = 64;
        OVERHEAD
            + match self {
                Self::Publish { channel, frame, message, .. } => channel.len() + frame.len() + message.len(),
                Self::Subscribe { channel, .. } | Self::Unsubscribe { channel, .. } => channel.len(),
                Self::Words(words) => words.iter().map(Bytes::len).sum(),
            }
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Publish { sharded, channel, frame, message } => {
                let name: &[u8] = if *sharded { b"SPUBLISH" } else { b"PUBLISH" };
                encode(out, &[name, channel]);
                // The frame and the message are one argument.
                out.extend_from_slice(format!("${}\r\n", frame.len() + message.len()).as_bytes());
                out.reserve(frame.len() + message.len() + 2);
                out.put_slice(frame);
                out.put_slice(message);
                out.put_slice(b"\r\n");
            }
            Self::Subscribe { sharded, channel } => {
                encode(out, &[if *sharded { b"SSUBSCRIBE" } else { b"SUBSCRIBE" }, channel]);
            }
            Self::Unsubscribe { sharded, channel } => {
                encode(out, &[if *sharded { b"SUNSUBSCRIBE" } else { b"UNSUBSCRIBE" }, channel]);
            }
            Self::Words(words) => {
                let words: Vec<&[u8]> = words.iter().map(Bytes::as_ref).collect();
                encode(out, &words);
            }
        }
    }

    /// Whether a push is the answer to this command.
    ///
    /// Redis answers subscriptions with pushes, and also pushes `sunsubscribe` by itself when a slot moves. Such a push
    /// must not be taken for the answer to the command that happens to be the oldest.
    pub(crate) fn is_answered_by(&self, kind: &PushKind, data: &[Value]) -> bool {
        let (expected, channel) = match self {
            Self::Subscribe { sharded: false, channel } => (PushKind::Subscribe, channel),
            Self::Subscribe { sharded: true, channel } => (PushKind::SSubscribe, channel),
            Self::Unsubscribe { sharded: false, channel } => (PushKind::Unsubscribe, channel),
            Self::Unsubscribe { sharded: true, channel } => (PushKind::SUnsubscribe, channel),
            Self::Publish { .. } | Self::Words(_) => return false,
        };
        *kind == expected && matches!(data.first(), Some(Value::BulkString(name)) if *name == **channel)
    }

    /// Whether only a push, or an error, answers this command.
    pub(crate) fn expects_push(&self) -> bool {
        matches!(self, Self::Subscribe { .. } | Self::Unsubscribe { .. })
    }
}

/// Writes an array of bulk strings. With [`Command::Publish`], which appends its last argument, one more is counted.
fn encode(out: &mut BytesMut, words: &[&[u8]]) {
    let appended = usize::from(matches!(words, [b"PUBLISH" | b"SPUBLISH", _]));
    out.extend_from_slice(format!("*{}\r\n", words.len() + appended).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(command: &Command) -> BytesMut {
        let mut out = BytesMut::new();
        command.encode(&mut out);
        out
    }

    #[test]
    fn a_publish_is_one_argument_of_frame_and_message() {
        let command = Command::Publish {
            sharded: true,
            channel: "c".into(),
            frame: "ab".into(),
            message: Bytes::from_static(b"\r\n\0"),
        };
        assert_eq!(encoded(&command), &b"*3\r\n$8\r\nSPUBLISH\r\n$1\r\nc\r\n$5\r\nab\r\n\0\r\n"[..]);
    }

    #[test]
    fn words_are_bulk_strings() {
        assert_eq!(encoded(&Command::words(["HELLO", "3"])), &b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"[..]);
    }

    #[test]
    fn only_the_push_of_the_same_kind_and_channel_is_an_answer() {
        let command = Command::Unsubscribe { sharded: true, channel: "a".into() };
        let channel = |name: &str| [Value::BulkString(name.into()), Value::Int(0)];
        assert!(command.is_answered_by(&PushKind::SUnsubscribe, &channel("a")));
        assert!(!command.is_answered_by(&PushKind::SUnsubscribe, &channel("b")));
        assert!(!command.is_answered_by(&PushKind::SSubscribe, &channel("a")));
        assert!(!Command::words(["PING"]).is_answered_by(&PushKind::SUnsubscribe, &channel("a")));
    }
}
