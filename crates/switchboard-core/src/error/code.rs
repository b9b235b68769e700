//! The codes of errors on the wire.

use std::{borrow::Cow, fmt};

/// What went wrong, in gRPC's terms.
///
/// | code | retryable | suggested backoff |
/// |---|---|---|
/// | `UNAUTHENTICATED`, `PERMISSION_DENIED`, `INVALID_ARGUMENT`, `FAILED_PRECONDITION`, `NOT_FOUND`, `ALREADY_EXISTS`, `UNIMPLEMENTED`, `CANCELLED` | no | |
/// | `DEADLINE_EXCEEDED`, `ABORTED` | yes | 50 ms |
/// | `RESOURCE_EXHAUSTED`, `UNAVAILABLE` | yes | 100 ms |
/// | `INTERNAL`, codes of your own | as the server says | |
///
/// The names of bun-ws-router convert to these:
///
/// ```
/// use switchboard_core::ErrorCode;
///
/// assert_eq!(ErrorCode::from("RATE_LIMIT_EXCEEDED"), ErrorCode::ResourceExhausted);
/// assert_eq!(ErrorCode::from("OUT_OF_CAKE").as_str(), "OUT_OF_CAKE");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The caller is not known.
    Unauthenticated,
    /// The caller is known but not allowed.
    PermissionDenied,
    /// The message is invalid, whatever the state.
    InvalidArgument,
    /// The message is valid, but not in this state.
    FailedPrecondition,
    /// Something that the message names does not exist.
    NotFound,
    /// What the message would create exists already.
    AlreadyExists,
    /// There is no handler for this.
    Unimplemented,
    /// The caller cancelled the request.
    Cancelled,
    /// The deadline passed.
    DeadlineExceeded,
    /// A limit was reached.
    ResourceExhausted,
    /// A dependency is not available.
    Unavailable,
    /// A conflict with a concurrent operation.
    Aborted,
    /// An error of the server.
    Internal,
    /// A code that the application defines.
    Custom(Cow<'static, str>),
}

impl ErrorCode {
    /// The codes of the protocol.
    pub const ALL: [Self; 13] = [
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::InvalidArgument,
        Self::FailedPrecondition,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Unimplemented,
        Self::Cancelled,
        Self::DeadlineExceeded,
        Self::ResourceExhausted,
        Self::Unavailable,
        Self::Aborted,
        Self::Internal,
    ];

    /// Returns the code as sent on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Cancelled => "CANCELLED",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Aborted => "ABORTED",
            Self::Internal => "INTERNAL",
            Self::Custom(code) => code,
        }
    }

    /// Returns whether a client may retry; `None` where the server says so with each error.
    #[must_use]
    pub fn retryable(&self) -> Option<bool> {
        match self {
            Self::DeadlineExceeded | Self::ResourceExhausted | Self::Unavailable | Self::Aborted => Some(true),
            Self::Internal | Self::Custom(_) => None,
            _ => Some(false),
        }
    }

    /// Returns the suggested backoff of a retryable code, in milliseconds.
    #[must_use]
    pub fn backoff_ms(&self) -> Option<u64> {
        match self {
            Self::DeadlineExceeded | Self::Aborted => Some(50),
            Self::ResourceExhausted | Self::Unavailable => Some(100),
            _ => None,
        }
    }

    fn known(code: &str) -> Option<Self> {
        Some(match code {
            "UNAUTHENTICATED" | "AUTHENTICATION_FAILED" => Self::Unauthenticated,
            "PERMISSION_DENIED" | "AUTHORIZATION_FAILED" => Self::PermissionDenied,
            "INVALID_ARGUMENT" | "VALIDATION_FAILED" | "INVALID_MESSAGE_FORMAT" => Self::InvalidArgument,
            "FAILED_PRECONDITION" => Self::FailedPrecondition,
            "NOT_FOUND" | "RESOURCE_NOT_FOUND" => Self::NotFound,
            "ALREADY_EXISTS" => Self::AlreadyExists,
            "UNIMPLEMENTED" | "UNSUPPORTED_MESSAGE_TYPE" => Self::Unimplemented,
            "CANCELLED" => Self::Cancelled,
            "DEADLINE_EXCEEDED" => Self::DeadlineExceeded,
            "RESOURCE_EXHAUSTED" | "RATE_LIMIT_EXCEEDED" => Self::ResourceExhausted,
            "UNAVAILABLE" => Self::Unavailable,
            "ABORTED" => Self::Aborted,
            "INTERNAL" | "INTERNAL_SERVER_ERROR" => Self::Internal,
            _ => return None,
        })
    }
}

impl From<&'static str> for ErrorCode {
    fn from(code: &'static str) -> Self {
        Self::known(code).unwrap_or(Self::Custom(Cow::Borrowed(code)))
    }
}

impl From<String> for ErrorCode {
    fn from(code: String) -> Self {
        Self::known(&code).unwrap_or(Self::Custom(Cow::Owned(code)))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
