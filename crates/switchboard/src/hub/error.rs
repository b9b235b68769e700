//! What can go wrong with topics.

use std::{error::Error, fmt};

use axum::response::{IntoResponse, Response};
use switchboard_core::{InvalidTopic, LimitReached, WsError};

use crate::{SendError, hub::topics::Refusal};

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
    /// The topic has as many members as it may.
    #[non_exhaustive]
    MembersLimit {
        /// How many it may have.
        limit: usize,
        /// How many it has.
        current: usize,
    },
    /// The connection has as many subscriptions to topics of this pattern as it may.
    #[non_exhaustive]
    PatternLimit {
        /// How many it may have.
        limit: usize,
        /// How many it has.
        current: usize,
    },
    /// The rule of [`TopicOptions::allow_names`](crate::TopicOptions::allow_names) does not allow the name.
    NotAllowed,
    /// The rule of [`TopicOptions::authorize_subscribe`](crate::TopicOptions::authorize_subscribe)
    /// refused it.
    Refused,
    /// That rule did not answer in time, or changed its mind all the time.
    Unanswered,
    /// The connection is closed.
    Closed,
}

impl TopicError {
    pub(crate) fn invalid_topic(error: InvalidTopic) -> Self {
        Self { kind: TopicErrorKind::InvalidTopic, wire: error.into() }
    }

    pub(crate) fn limit(limit: usize, current: usize) -> Self {
        let wire = WsError::resource_exhausted(format!("a connection may have {limit} subscriptions"))
            .with_details(LimitReached { limit, current });
        Self { kind: TopicErrorKind::Limit { limit, current }, wire }
    }

    pub(crate) fn members_limit(topic: &str, limit: usize, current: usize) -> Self {
        let wire = WsError::resource_exhausted(format!("the topic `{topic}` may have {limit} members"))
            .with_details(LimitReached { limit, current });
        Self { kind: TopicErrorKind::MembersLimit { limit, current }, wire }
    }

    pub(crate) fn pattern_limit(pattern: &str, limit: usize, current: usize) -> Self {
        let wire = WsError::resource_exhausted(format!("a connection may have {limit} subscriptions to `{pattern}`"))
            .with_details(LimitReached { limit, current });
        Self { kind: TopicErrorKind::PatternLimit { limit, current }, wire }
    }

    pub(crate) fn not_allowed(topic: &str, pattern: &str) -> Self {
        Self { kind: TopicErrorKind::NotAllowed, wire: not_allowed(topic, pattern) }
    }

    pub(crate) fn refused(topic: &str, refusal: Refusal) -> Self {
        match refusal {
            Refusal::Refused(wire) => Self { kind: TopicErrorKind::Refused, wire },
            Refusal::TimedOut => Self { kind: TopicErrorKind::Unanswered, wire: unanswered(topic) },
        }
    }

    pub(crate) fn unsettled() -> Self {
        let wire = WsError::unavailable("who may subscribe changed meanwhile, again and again");
        Self { kind: TopicErrorKind::Unanswered, wire }
    }

    pub(crate) fn closed() -> Self {
        Self { kind: TopicErrorKind::Closed, wire: WsError::cancelled("the connection is closed") }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> TopicErrorKind {
        self.kind
    }

    /// Whether the same change may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.kind != TopicErrorKind::Closed && self.wire.retryable().unwrap_or_default()
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

/// `INVALID_ARGUMENT`, `RESOURCE_EXHAUSTED` with `{limit, current}`, what the rule refused with,
/// `UNAVAILABLE` if it did not answer, or `CANCELLED`.
impl From<TopicError> for WsError {
    fn from(error: TopicError) -> Self {
        error.wire
    }
}

/// As the [`WsError`] that it converts into.
impl IntoResponse for TopicError {
    fn into_response(self) -> Response {
        WsError::from(self).into_response()
    }
}

fn not_allowed(topic: &str, pattern: &str) -> WsError {
    WsError::invalid_argument(format!("`{topic}` is not a name that topics of `{pattern}` may have"))
}

fn unanswered(topic: &str) -> WsError {
    WsError::unavailable(format!("whether `{topic}` is allowed could not be found out in time"))
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
    NotAllowed(WsError),
    Refused(WsError),
    Unanswered(WsError),
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
    ///
    /// Of a [`Batch`](crate::Batch): as much as it may hold is still on its way.
    Overloaded,
    /// The rule of [`TopicOptions::allow_names`](crate::TopicOptions::allow_names) does not allow the name.
    NotAllowed,
    /// The rule of [`TopicOptions::authorize_publish`](crate::TopicOptions::authorize_publish)
    /// refused it.
    Refused,
    /// That rule did not answer in time.
    Unanswered,
}

impl PublishError {
    pub(crate) fn invalid_topic(error: InvalidTopic) -> Self {
        Self(Cause::InvalidTopic(error.into()))
    }

    pub(crate) fn invalid(source: SendError) -> Self {
        Self(Cause::Invalid(source))
    }

    pub(crate) fn overloaded() -> Self {
        Self(Cause::Overloaded(WsError::unavailable("too much is being published to this topic")))
    }

    pub(crate) fn full(limit: usize) -> Self {
        let wire = WsError::resource_exhausted(format!(
            "{limit} items wait to be published: publish fewer, or raise `BatchOptions::max_waiting`"
        ));
        Self(Cause::Overloaded(wire))
    }

    pub(crate) fn not_allowed(topic: &str, pattern: &str) -> Self {
        Self(Cause::NotAllowed(not_allowed(topic, pattern)))
    }

    pub(crate) fn refused(topic: &str, refusal: Refusal) -> Self {
        Self(match refusal {
            Refusal::Refused(wire) => Cause::Refused(wire),
            Refusal::TimedOut => Cause::Unanswered(unanswered(topic)),
        })
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> PublishErrorKind {
        match self.0 {
            Cause::NotAllowed(_) => PublishErrorKind::NotAllowed,
            Cause::Refused(_) => PublishErrorKind::Refused,
            Cause::Unanswered(_) => PublishErrorKind::Unanswered,
            Cause::InvalidTopic(_) => PublishErrorKind::InvalidTopic,
            Cause::Invalid(_) => PublishErrorKind::Invalid,
            Cause::Overloaded(_) => PublishErrorKind::Overloaded,
        }
    }

    /// Whether the same publish may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match &self.0 {
            Cause::InvalidTopic(_) | Cause::Invalid(_) | Cause::NotAllowed(_) => false,
            Cause::Overloaded(_) | Cause::Unanswered(_) => true,
            Cause::Refused(wire) => wire.retryable().unwrap_or_default(),
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::InvalidTopic(wire)
            | Cause::Overloaded(wire)
            | Cause::NotAllowed(wire)
            | Cause::Refused(wire)
            | Cause::Unanswered(wire) => f.write_str(wire.message()),
            Cause::Invalid(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Cause::InvalidTopic(wire)
            | Cause::Overloaded(wire)
            | Cause::NotAllowed(wire)
            | Cause::Refused(wire)
            | Cause::Unanswered(wire) => Some(wire),
            Cause::Invalid(error) => Some(error),
        }
    }
}

/// `INVALID_ARGUMENT` for a topic's name, `INTERNAL` for an invalid message, `UNAVAILABLE` for too much
/// and for a rule that did not answer, what a rule refused with.
impl From<PublishError> for WsError {
    fn from(error: PublishError) -> Self {
        match error.0 {
            Cause::InvalidTopic(wire)
            | Cause::Overloaded(wire)
            | Cause::NotAllowed(wire)
            | Cause::Refused(wire)
            | Cause::Unanswered(wire) => wire,
            Cause::Invalid(error) => Self::internal(error),
        }
    }
}

/// As the [`WsError`] that it converts into.
impl IntoResponse for PublishError {
    fn into_response(self) -> Response {
        WsError::from(self).into_response()
    }
}
