//! The errors of the client.

use std::{error::Error, fmt};

use super::MAX_PENDING;

/// An error of the client.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplicaError {
    /// Too many changes are unconfirmed to make another one.
    TooManyPending,
    /// The server's message does not fit the known revision: reconnect on
    /// [`Replica::path`](crate::Replica::path).
    Gap {
        /// The revision that is known.
        rev: Option<u64>,
        /// The revision that the message is based on.
        from_rev: u64,
    },
    /// The server's message cannot be parsed.
    Unreadable(serde_json::Error),
}

impl From<serde_json::Error> for ReplicaError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl fmt::Display for ReplicaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyPending => write!(f, "{MAX_PENDING} changes wait for the server"),
            Self::Gap { rev, from_rev } => write!(f, "changes since revision {from_rev} do not fit revision {rev:?}"),
            Self::Unreadable(_) => f.write_str("the server's message cannot be read"),
        }
    }
}

impl Error for ReplicaError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            Self::TooManyPending | Self::Gap { .. } => None,
        }
    }
}
