//! What can go wrong with topics.

use std::{error::Error, fmt};

use switchboard_core::{LimitReached, WsError};

use crate::SendError;

/// A subscription was not changed.
#[derive(Debug)]
pub struct TopicError {
    kind: TopicErrorKind,
}

/// Why a subscription was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopicErrorKind {
    /// The name is not 1–128 bytes without control characters, spaces, `*` and `>`.
    InvalidTopic,
    /// The connection has as many subscriptions as it may.
    #[non_exhaustive]
    Limit {
        /// How many it may have.
        limit: usize,
        /// How many it has.
        current: usize,
    },
    /// The connection is closed.
    Closed,
}

impl TopicError {
    pub(super) fn invalid_topic() -> Self {
        Self { kind: TopicErrorKind::InvalidTopic }
    }

    pub(super) fn limit(limit: usize, current: usize) -> Self {
        Self { kind: TopicErrorKind::Limit { limit, current } }
    }

    pub(super) fn closed() -> Self {
        Self { kind: TopicErrorKind::Closed }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> TopicErrorKind {
        self.kind
    }
}

const INVALID_TOPIC: &str = "a topic must be 1 to 128 bytes without control characters, spaces, `*` and `>`";

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TopicErrorKind::InvalidTopic => f.write_str(INVALID_TOPIC),
            TopicErrorKind::Limit { limit, .. } => write!(f, "a connection may have {limit} subscriptions"),
            TopicErrorKind::Closed => f.write_str("the connection is closed"),
        }
    }
}

impl Error for TopicError {}

/// `INVALID_ARGUMENT`, `RESOURCE_EXHAUSTED` with `{limit, current}`, or `CANCELLED`.
impl From<TopicError> for WsError {
    fn from(error: TopicError) -> Self {
        let text = error.to_string();
        match error.kind {
            TopicErrorKind::InvalidTopic => Self::invalid_argument(text),
            TopicErrorKind::Limit { limit, current } => {
                Self::resource_exhausted(text).with_details(LimitReached { limit, current })
            }
            TopicErrorKind::Closed => Self::cancelled(text),
        }
    }
}

/// Nothing was published.
#[derive(Debug)]
pub struct PublishError {
    kind: PublishErrorKind,
    source: Option<SendError>,
}

/// Why nothing was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishErrorKind {
    /// The name is not 1–128 bytes without control characters, spaces, `*` and `>`.
    InvalidTopic,
    /// The message breaks its own rules, or does not serialise.
    Invalid,
}

impl PublishError {
    pub(super) fn invalid_topic() -> Self {
        Self { kind: PublishErrorKind::InvalidTopic, source: None }
    }

    pub(super) fn invalid(source: SendError) -> Self {
        Self { kind: PublishErrorKind::Invalid, source: Some(source) }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> PublishErrorKind {
        self.kind
    }

    /// Whether the same publish may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            PublishErrorKind::InvalidTopic | PublishErrorKind::Invalid => false,
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            PublishErrorKind::InvalidTopic => INVALID_TOPIC,
            PublishErrorKind::Invalid => "the message to publish is invalid",
        })
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

/// `INVALID_ARGUMENT` for a topic's name, `INTERNAL` for an invalid message.
impl From<PublishError> for WsError {
    fn from(error: PublishError) -> Self {
        match error.kind {
            PublishErrorKind::InvalidTopic => Self::invalid_argument(INVALID_TOPIC),
            PublishErrorKind::Invalid => Self::internal(error),
        }
    }
}
