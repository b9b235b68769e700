//! The subjects of channels.

use std::fmt::Write as _;

/// How many partitions the channels are hashed to. The partition is part of a subject, so that a node with very many
/// channels can subscribe to whole partitions by wildcards without any change for others.
///
/// Part of what nodes have to agree on, so it never changes.
pub(crate) const PARTITIONS: u16 = 256;

/// Returns the subject of a channel: `PREFIX.PARTITION.CHANNEL`.
///
/// In the channel's text, `A-Z a-z 0-9 - _ : /` stay, and every other byte becomes `%XX`. So the text is one token, is no
/// wildcard, and differs for different channels.
pub(crate) fn subject(prefix: &str, text: &str) -> String {
    let mut subject = String::with_capacity(prefix.len() + text.len() + 8);
    // Writing to a string cannot fail.
    let _ = write!(subject, "{prefix}.{}.", partition(text));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'/') {
            subject.push(char::from(byte));
        } else {
            let _ = write!(subject, "%{byte:02X}");
        }
    }
    subject
}

/// Returns the partition of a channel by its text.
pub(crate) fn partition(text: &str) -> u16 {
    crc16(text.as_bytes()) % PARTITIONS
}

/// Returns the wildcard for all channels of a partition.
pub(crate) fn wildcard(prefix: &str, partition: u16) -> String {
    format!("{prefix}.{partition}.*")
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
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
    use proptest::prelude::*;

    use super::*;

    fn decode(subject: &str) -> String {
        let token = subject.rsplit('.').next().unwrap();
        let mut bytes = Vec::new();
        let mut rest = token.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            if byte == b'%' {
                let hex = std::str::from_utf8(&after[..2]).unwrap();
                bytes.push(u8::from_str_radix(hex, 16).unwrap());
                rest = &after[2..];
            } else {
                bytes.push(byte);
                rest = after;
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn subjects_never_change() {
        // Other values would separate nodes of different versions.
        assert_eq!(subject("sb", "t:room:1"), "sb.113.t:room:1");
        assert_eq!(subject("sb", "u:a.b *>%"), "sb.44.u:a%2Eb%20%2A%3E%25");
        assert_eq!(wildcard("sb", partition("t:room:1")), "sb.113.*");
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    proptest! {
        #[test]
        fn the_channel_can_be_read_from_its_subject(text in ".{1,300}") {
            prop_assert_eq!(decode(&subject("sb", &text)), text);
        }

        #[test]
        fn different_channels_have_different_subjects(one in "[ -~\u{e0}-\u{e9}]{1,3}", other in "[ -~\u{e0}-\u{e9}]{1,3}") {
            prop_assert_eq!(one == other, subject("sb", &one) == subject("sb", &other));
        }

        #[test]
        fn subjects_are_three_legal_tokens_without_wildcards(text in "\\PC{1,300}|[\\x00-\\x7f]{1,300}") {
            let subject = subject("sb", &text);
            let tokens: Vec<_> = subject.split('.').collect();
            prop_assert_eq!(tokens.len(), 3);
            let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:/%".contains(&byte);
            prop_assert!(tokens.iter().all(|token| !token.is_empty() && token.bytes().all(is_legal)), "{}", subject);
            prop_assert!(tokens[1].parse::<u16>().unwrap() < PARTITIONS);
        }
    }
}
