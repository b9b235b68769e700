//! Close codes that may be sent.

/// Returns whether a close frame may carry this code: 1000–1003, 1007–1014 and 3000–4999 (RFC 6455,
/// section 7.4, and the IANA registry).
#[must_use]
pub const fn is_sendable_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
