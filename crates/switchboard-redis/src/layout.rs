//! How channels are named in Redis.

use std::{str, sync::LazyLock};

use bytes::{BufMut, Bytes, BytesMut};

use crate::rate_limit::hex_sha1;

/// How many sharded channels a prefix has in a cluster.
///
/// Part of what nodes have to agree on, so it never changes.
pub(crate) const PARTITIONS: usize = 128;

const SLOTS: u16 = 16384;

/// Longer keys are stored by their hash.
const MAX_KEY_BYTES: usize = 128;

/// Where a channel's messages travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// 0 without a cluster.
    pub(crate) partition: usize,
    /// The channel of Redis.
    pub(crate) wire: Bytes,
    /// What precedes each message. Empty without a cluster.
    pub(crate) frame: Bytes,
}

/// Without a cluster, each channel is one of Redis. In a cluster, channels share [`PARTITIONS`] sharded channels, which
/// are spread evenly over the slots, and each message begins with the length and the text of its channel.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    prefix: String,
    sharded: bool,
}

impl Layout {
    pub(crate) fn new(prefix: &str, sharded: bool) -> Self {
        Self { prefix: format!("{prefix}:"), sharded }
    }

    pub(crate) fn is_sharded(&self) -> bool {
        self.sharded
    }

    pub(crate) fn partitions(&self) -> usize {
        if self.sharded { PARTITIONS } else { 1 }
    }

    /// Returns the route of a channel by its text, which has less than 2^16 bytes.
    pub(crate) fn route(&self, text: &str) -> Route {
        if !self.sharded {
            return Route { partition: 0, wire: [&self.prefix, text].concat().into(), frame: Bytes::new() };
        }
        let partition = usize::from(crc16(text.as_bytes())) % PARTITIONS;
        let mut frame = BytesMut::with_capacity(2 + text.len());
        frame.put_u16(text.len() as u16);
        frame.put_slice(text.as_bytes());
        Route { partition, wire: self.partition_channel(partition), frame: frame.freeze() }
    }

    /// Returns the partition and the name of the key under which something is stored by its text: `PREFIX:rate:TEXT`, in a
    /// cluster with the tag of the partition, so that a client that chooses its text does not choose the slot. A long
    /// text is hashed, in a way that no client can find two texts for one key of another.
    pub(crate) fn key(&self, text: &str) -> (usize, Bytes) {
        let hash = (text.len() > MAX_KEY_BYTES).then(|| hex_sha1(text.as_bytes()));
        let (kind, stored) = hash.as_deref().map_or(("rate", text), |hash| ("rate-sha1", hash));
        let prefix = &self.prefix;
        if !self.sharded {
            return (0, format!("{prefix}{kind}:{stored}").into());
        }
        let partition = usize::from(crc16(text.as_bytes())) % PARTITIONS;
        (partition, format!("{prefix}{kind}:{{{}}}:{stored}", TAGS[partition]).into())
    }

    /// Returns the sharded channel of a partition.
    pub(crate) fn partition_channel(&self, partition: usize) -> Bytes {
        format!("{}{{{}}}", self.prefix, TAGS[partition]).into()
    }

    /// Returns the partition of a sharded channel.
    pub(crate) fn partition_of(&self, wire: &[u8]) -> Option<usize> {
        let tag = wire.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b"{")?.strip_suffix(b"}")?;
        let tag: u32 = str::from_utf8(tag).ok()?.parse().ok()?;
        TAGS.iter().position(|known| *known == tag)
    }

    /// Returns the text of the channel of a message, and where the message begins.
    pub(crate) fn text<'a>(&self, wire: &'a [u8], message: &'a [u8]) -> Option<(&'a str, usize)> {
        if !self.sharded {
            return Some((str::from_utf8(wire.strip_prefix(self.prefix.as_bytes())?).ok()?, 0));
        }
        let (length, rest) = message.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        Some((str::from_utf8(rest.get(..length)?).ok()?, 2 + length))
    }
}

/// Returns the slot of a partition.
pub(crate) fn slot(partition: usize) -> u16 {
    crc16(TAGS[partition].to_string().as_bytes()) % SLOTS
}

/// For each partition, the smallest number whose slot, as a hash tag, is in that partition's share of the slots.
static TAGS: LazyLock<[u32; PARTITIONS]> = LazyLock::new(|| {
    let mut tags = [None; PARTITIONS];
    let mut left = PARTITIONS;
    for number in 0_u32.. {
        let share = usize::from(crc16(number.to_string().as_bytes()) % SLOTS) / (usize::from(SLOTS) / PARTITIONS);
        if tags[share].is_none() {
            tags[share] = Some(number);
            left -= 1;
        }
        if left == 0 {
            break;
        }
    }
    tags.map(Option::unwrap_or_default)
});

/// The checksum by which Redis assigns slots: CRC-16/XMODEM.
pub(crate) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc: u16, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc16(b"a") % SLOTS, 15495);
    }

    #[test]
    fn partitions_are_spread_evenly_and_never_change() {
        let shares: BTreeSet<_> = (0..PARTITIONS).map(|partition| slot(partition) / 128).collect();
        assert_eq!(shares.len(), PARTITIONS);
        // Other values would separate nodes of different versions.
        let layout = Layout::new("sb", true);
        assert_eq!(layout.partition_channel(0), "sb:{14}");
        assert_eq!(layout.partition_channel(127), "sb:{44}");
        assert_eq!(layout.route("t:room:1").partition, 113);
    }

    #[test]
    fn a_channel_is_found_again_in_its_message() {
        for sharded in [false, true] {
            let layout = Layout::new("sb", sharded);
            for text in ["t:room:1", "u:{a}\r\n\0*", "all", "t:\u{1f6aa}"] {
                let route = layout.route(text);
                let message = [&route.frame[..], b"payload"].concat();
                let (found, begin) = layout.text(&route.wire, &message).unwrap();
                assert_eq!((found, &message[begin..]), (text, &b"payload"[..]));
                assert_eq!(layout.partition_of(&route.wire), sharded.then_some(route.partition));
            }
        }
    }

    #[test]
    fn keys_are_short_and_in_the_slot_of_their_partition() {
        assert_eq!(Layout::new("sb", false).key("chat:u:ann"), (0, "sb:rate:chat:u:ann".into()));
        let sharded = Layout::new("sb", true);
        let (partition, key) = sharded.key("chat:u:{ann}");
        assert_eq!(key, format!("sb:rate:{{{}}}:chat:u:{{ann}}", TAGS[partition]));
        let long = "x".repeat(5000);
        let (partition, key) = sharded.key(&long);
        assert!(
            key.starts_with(format!("sb:rate-sha1:{{{}}}:", TAGS[partition]).as_bytes()) && key.len() < 70,
            "{key:?}"
        );
        assert_ne!(sharded.key(&long[1..]).1, key);
    }

    #[test]
    fn foreign_messages_have_no_channel() {
        let plain = Layout::new("sb", false);
        assert_eq!(plain.text(b"other:t:a", b""), None);
        assert_eq!(plain.text(b"sb:\xff", b""), None);
        let sharded = Layout::new("sb", true);
        for message in [&b""[..], b"\0", b"\0\x05abc", b"\0\x01\xff"] {
            assert_eq!(sharded.text(b"sb:{14}", message), None);
        }
    }
}
