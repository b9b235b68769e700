//! Headers that are comma-separated lists.

use http::{HeaderMap, HeaderName};

/// Returns the elements of all lines of a header, in their order and without surrounding white
/// space. Includes empty ones.
pub(super) fn elements<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.get_all(name).iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

/// Whether one of a header's elements is `token`, ignoring case.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    elements(headers, name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

/// Returns the value of a header that has exactly one line.
pub(super) fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => Some(line.as_bytes()),
        _ => None,
    }
}

/// Returns the bytes as text if they are a token (RFC 7230, section 3.2.6).
pub(super) fn token(bytes: &[u8]) -> Option<&str> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if bytes.is_empty() || !bytes.iter().all(is_token) {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7230_3_2_6_tokens() {
        for byte in 0..=255u8 {
            let separator = b"()<>@,;:\\\"/[]?={} \t".contains(&byte);
            assert_eq!(token(&[b'a', byte]).is_some(), byte.is_ascii() && !byte.is_ascii_control() && !separator);
        }
        assert_eq!(token(b""), None);
        assert_eq!(token(b"a.b"), Some("a.b"));
    }
}
