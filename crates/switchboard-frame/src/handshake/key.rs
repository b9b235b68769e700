//! The keys that prove to a client that a server speaks WebSocket.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};

/// Of RFC 6455, section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Returns the `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` in base64. It is always ASCII.
///
/// ```
/// let accept = switchboard_frame::handshake::accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
/// assert_eq!(&accept, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[must_use]
pub fn accept_key(key: &[u8]) -> [u8; 28] {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut accept = [0; 28];
    let written = STANDARD.encode_slice(digest, &mut accept);
    debug_assert_eq!(written, Ok(28), "20 bytes are 28 in base64");
    accept
}

/// Encodes the `Sec-WebSocket-Key` of a client. The bytes must be new and random for each connection.
///
/// ```
/// assert_eq!(switchboard_frame::handshake::client_key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
/// ```
#[must_use]
pub fn client_key(random: [u8; 16]) -> String {
    STANDARD.encode(random)
}

/// Whether these are 16 bytes in base64: 22 digits and `==`. The bits of the last digit beyond the
/// sixteenth byte are ignored, as in other servers.
pub(super) fn is_key(key: &[u8]) -> bool {
    key.strip_suffix(b"==").is_some_and(|digits| {
        digits.len() == 22 && digits.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_6455_1_3_the_sample_nonce() {
        assert_eq!(client_key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(&accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn rfc_6455_4_1_a_key_is_16_bytes_in_base64() {
        for random in [[0; 16], [0xff; 16], *b"the sample nonce"] {
            assert!(is_key(client_key(random).as_bytes()));
        }
        for key in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZ===",
            "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhlIHNhbXBsZSBub25jZQA==",
            "dGhlIHNhbXBsZSBub25j-_==",
            "dGhlIHNhbXBsZSBub25j Q==",
            "dGhlIHNhbXBsZSBub25jZQ== ",
        ] {
            assert!(!is_key(key.as_bytes()), "{key}");
        }
    }
}
