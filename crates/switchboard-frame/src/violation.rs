//! Violations of the protocol and of limits.

use std::fmt;

/// A broken rule of RFC 6455 or a limit: the connection must be closed with [`close_code`](Self::close_code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set and no extension gives it a meaning.
    ReservedBits,
    /// An opcode that the RFC does not define.
    UnknownOpcode,
    /// A client's frame without a mask, or a server's with one.
    Mask,
    /// A control frame of more than 125 bytes.
    LongControlFrame,
    /// A control frame in fragments.
    FragmentedControlFrame,
    /// A continuation frame without a message to continue.
    UnexpectedContinuation,
    /// A new message before the last one ended.
    ExpectedContinuation,
    /// A length of more than 63 bits.
    Length,
    /// A length that would have fitted into fewer bytes.
    LongLengthForm,
    /// A close frame with one byte, or a code that may not be sent.
    ClosePayload,
    /// Text that is not UTF-8.
    Utf8,
    /// More bytes in a message than [`Limits`](crate::Limits) allow.
    MessageTooLong,
    /// More fragments in a message than [`Limits`](crate::Limits) allow.
    TooManyFragments,
}

impl Violation {
    /// Returns the close code: 1002, 1007 or 1009.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Utf8 => 1007,
            Self::MessageTooLong | Self::TooManyFragments => 1009,
            _ => 1002,
        }
    }

    /// Returns the reason for the close frame.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReservedBits => "reserved bits",
            Self::UnknownOpcode => "unknown opcode",
            Self::Mask => "wrong masking",
            Self::LongControlFrame => "control frame too long",
            Self::FragmentedControlFrame => "fragmented control frame",
            Self::UnexpectedContinuation => "unexpected continuation",
            Self::ExpectedContinuation => "expected a continuation",
            Self::Length => "invalid length",
            Self::LongLengthForm => "length not in its shortest form",
            Self::ClosePayload => "invalid close frame",
            Self::Utf8 => "invalid UTF-8",
            Self::MessageTooLong => "message too big",
            Self::TooManyFragments => "too many fragments",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Violation {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_violation_has_a_code_and_a_reason() {
        for (violation, code, reason) in [
            (Violation::ReservedBits, 1002, "reserved bits"),
            (Violation::Mask, 1002, "wrong masking"),
            (Violation::Utf8, 1007, "invalid UTF-8"),
            (Violation::MessageTooLong, 1009, "message too big"),
            (Violation::TooManyFragments, 1009, "too many fragments"),
        ] {
            assert_eq!((violation.close_code(), violation.as_str()), (code, reason));
            assert_eq!(violation.to_string(), reason);
        }
    }
}
