//! Close codes.

use std::fmt;

/// Why a connection was closed, as a number of RFC 6455 or of this protocol.
///
/// | code | constant | when |
/// |---|---|---|
/// | 1000 | [`NORMAL`](Self::NORMAL) | done |
/// | 1001 | [`GOING_AWAY`](Self::GOING_AWAY) | the server stops, or the page was left |
/// | 1002 | [`PROTOCOL_ERROR`](Self::PROTOCOL_ERROR) | a broken frame |
/// | 1003 | [`UNSUPPORTED_DATA`](Self::UNSUPPORTED_DATA) | a kind of data that is not accepted |
/// | 1006 | [`ABNORMAL`](Self::ABNORMAL) | never sent: the connection was lost |
/// | 1007 | [`INVALID_UTF8`](Self::INVALID_UTF8) | text that is not UTF-8 |
/// | 1008 | [`POLICY`](Self::POLICY) | too many bad messages, or failed authentication |
/// | 1009 | [`TOO_BIG`](Self::TOO_BIG) | over the message size limit |
/// | 1011 | [`SERVER_ERROR`](Self::SERVER_ERROR) | the open hook failed |
/// | 1012 | [`RESTART`](Self::RESTART) | the server restarts |
/// | 1013 | [`TRY_AGAIN`](Self::TRY_AGAIN) | overloaded |
/// | 4001 | [`TOKEN_EXPIRED`](Self::TOKEN_EXPIRED) | refresh the token and reconnect |
/// | 4002 | [`SLOW_CONSUMER`](Self::SLOW_CONSUMER) | the outbound queue overflowed |
/// | 4006 | [`FLOOD`](Self::FLOOD) | too many messages or control frames |
/// | 4401, 4403 | [`UNAUTHENTICATED`](Self::UNAUTHENTICATED), [`FORBIDDEN`](Self::FORBIDDEN) | refused after accept |
/// | 4503 | [`KICKED`](Self::KICKED) | disconnected by the application |
/// | 4504 | [`CONNECTION_LIMIT`](Self::CONNECTION_LIMIT) | too many connections of a user |
/// | 4507 | [`SUBSCRIPTION_LIMIT`](Self::SUBSCRIPTION_LIMIT) | too many subscriptions |
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000
    pub const NORMAL: Self = Self(1000);
    /// 1001
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: the peer's close frame had no code. Never sent.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection ended without a close frame. Never sent.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007
    pub const INVALID_UTF8: Self = Self(1007);
    /// 1008
    pub const POLICY: Self = Self(1008);
    /// 1009
    pub const TOO_BIG: Self = Self(1009);
    /// 1011
    pub const SERVER_ERROR: Self = Self(1011);
    /// 1012
    pub const RESTART: Self = Self(1012);
    /// 1013
    pub const TRY_AGAIN: Self = Self(1013);
    /// 4001
    pub const TOKEN_EXPIRED: Self = Self(4001);
    /// 4002
    pub const SLOW_CONSUMER: Self = Self(4002);
    /// 4006
    pub const FLOOD: Self = Self(4006);
    /// 4401
    pub const UNAUTHENTICATED: Self = Self(4401);
    /// 4403
    pub const FORBIDDEN: Self = Self(4403);
    /// 4503
    pub const KICKED: Self = Self(4503);
    /// 4504
    pub const CONNECTION_LIMIT: Self = Self(4504);
    /// 4507
    pub const SUBSCRIPTION_LIMIT: Self = Self(4507);

    /// Creates a close code. Check [`is_sendable`](Self::is_sendable) before sending it.
    #[must_use]
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Returns whether RFC 6455 allows this code in a close frame: not 0–999, 1004–1006, 1015–2999,
    /// or 5000 and more.
    #[must_use]
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Cuts a close reason to what a close frame can hold: 123 bytes, at a character boundary.
#[must_use]
pub fn close_reason(reason: &str) -> &str {
    let end = (0..=reason.len().min(123)).rev().find(|&i| reason.is_char_boundary(i)).unwrap_or(0);
    &reason[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sendable_codes_are_those_of_rfc_6455() {
        for code in [1000, 1003, 1007, 1011, 1014, 3000, 4999] {
            assert!(CloseCode::new(code).is_sendable(), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, u16::MAX] {
            assert!(!CloseCode::new(code).is_sendable(), "{code}");
        }
    }

    #[test]
    fn reasons_are_cut_at_a_character() {
        assert_eq!(close_reason("bye"), "bye");
        assert_eq!(close_reason(&"x".repeat(200)).len(), 123);
        assert_eq!(close_reason(&"é".repeat(100)).len(), 122);
    }
}
