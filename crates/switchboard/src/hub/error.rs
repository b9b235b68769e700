//! What can go wrong with topics.

use std::{error::Error, fmt};

use switchboard_core::{InvalidTopic, LimitReached, WsError};

use crate::SendError;

/// A subscription was not changed.
#[derive(Debug)]
pub struct TopicError {
    kind: TopicErrorKind,
    /// What a client is told, also when this was boxed on the way.
    wire: WsError,
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
    pub(super) fn invalid_topic(error: InvalidTopic) -> Self {
        Self { kind: TopicErrorKind::InvalidTopic, wire: error.into() }
    }

    pub(super) fn limit(limit: usize, current: usize) -> Self {
        let wire = WsError::resource_exhausted(format!("a connection may have {limit} subscriptions"))
            .with_details(LimitReached { limit, current });
        Self { kind: TopicErrorKind::Limit { limit, current }, wire }
    }

    pub(super) fn closed() -> Self {
        Self { kind: TopicErrorKind::Closed, wire: WsError::cancelled("the connection is closed") }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> TopicErrorKind {
        self.kind
    }
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire.message())
    }
}

/// The source is the [`WsError`] that this converts into.
impl Error for TopicError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.wire)
    }
}

/// `INVALID_ARGUMENT`, `RESOURCE_EXHAUSTED` with `{limit, current}`, or `CANCELLED`.
impl From<TopicError> for WsError {
    fn from(error: TopicError) -> Self {
        error.wire
    }
}

/// Nothing was published.
#[derive(Debug)]
pub struct PublishError(Cause);

#[derive(Debug)]
enum Cause {
    /// What a client is told, also when this was boxed on the way.
    InvalidTopic(WsError),
    Invalid(SendError),
    Overloaded(WsError),
}

/// Why nothing was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishErrorKind {
    /// The name is not 1–128 bytes without control characters, spaces, `*` and `>`.
    InvalidTopic,
    /// The message breaks its own rules, or does not serialise.
    Invalid,
    /// The topic has very many members, and 1024 publishes before this one are still on their way.
    Overloaded,
}

impl PublishError {
    pub(super) fn invalid_topic(error: InvalidTopic) -> Self {
        Self(Cause::InvalidTopic(error.into()))
    }

    pub(super) fn invalid(source: SendError) -> Self {
        Self(Cause::Invalid(source))
    }

    pub(super) fn overloaded() -> Self {
        Self(Cause::Overloaded(WsError::unavailable("too much is being published to this topic")))
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> PublishErrorKind {
        match self.0 {
            Cause::InvalidTopic(_) => PublishErrorKind::InvalidTopic,
            Cause::Invalid(_) => PublishErrorKind::Invalid,
            Cause::Overloaded(_) => PublishErrorKind::Overloaded,
        }
    }

    /// Whether the same publish may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0 {
            Cause::InvalidTopic(_) | Cause::Invalid(_) => false,
            Cause::Overloaded(_) => true,
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::InvalidTopic(wire) | Cause::Overloaded(wire) => f.write_str(wire.message()),
            Cause::Invalid(_) => f.write_str("the message to publish is invalid"),
        }
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Cause::InvalidTopic(wire) | Cause::Overloaded(wire) => Some(wire),
            Cause::Invalid(error) => Some(error),
        }
    }
}

/// `INVALID_ARGUMENT` for a topic's name, `INTERNAL` for an invalid message, `UNAVAILABLE` for too much.
impl From<PublishError> for WsError {
    fn from(error: PublishError) -> Self {
        match error.0 {
            Cause::InvalidTopic(wire) | Cause::Overloaded(wire) => wire,
            Cause::Invalid(error) => Self::internal(error),
        }
    }
}
