//! Errors of subscribing and publishing.

use std::{error::Error, fmt};

use axum::response::{IntoResponse, Response};
use switchboard_core::{InvalidTopic, LimitReached, WsError};

use crate::{SendError, hub::topics::Refusal};

/// An error of changing subscriptions. Nothing was changed.
#[derive(Debug)]
pub struct TopicError {
    kind: TopicErrorKind,
    /// The error for the client, which is found as the source even if this error was boxed.
    wire: WsError,
}

/// The kind of a [`TopicError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopicErrorKind {
    /// The name is empty, longer than 128 bytes, or contains control characters, spaces, `*` or
    /// `>`.
    InvalidTopic,
    /// The connection would exceed
    /// [`Config::max_subscriptions`](crate::Config::max_subscriptions).
    #[non_exhaustive]
    Limit {
        /// The limit.
        limit: usize,
        /// The current number of subscriptions.
        current: usize,
    },
    /// The topic has [`TopicOptions::max_members`](crate::TopicOptions::max_members) subscribers.
    #[non_exhaustive]
    MembersLimit {
        /// The limit.
        limit: usize,
        /// The current number of subscribers.
        current: usize,
    },
    /// The connection would exceed
    /// [`TopicOptions::max_per_connection`](crate::TopicOptions::max_per_connection).
    #[non_exhaustive]
    PatternLimit {
        /// The limit.
        limit: usize,
        /// The current number of subscriptions to topics of the pattern.
        current: usize,
    },
    /// [`TopicOptions::allow_names`](crate::TopicOptions::allow_names) rejects the name.
    NotAllowed,
    /// [`TopicOptions::authorize_subscribe`](crate::TopicOptions::authorize_subscribe) refused.
    Refused,
    /// [`TopicOptions::authorize_subscribe`](crate::TopicOptions::authorize_subscribe) timed out,
    /// or its answer was revoked 8 times in a row.
    Unanswered,
    /// The broker could not be reached, did not answer, or refused, or the cluster has too many topics.
    Unavailable,
    /// The connection is closed or closing.
    Closed,
}

impl TopicError {
    pub(crate) fn invalid_topic(error: InvalidTopic) -> Self {
        Self { kind: TopicErrorKind::InvalidTopic, wire: error.into() }
    }

    pub(crate) fn limit(limit: usize, current: usize) -> Self {
        let wire = WsError::resource_exhausted(format!("too many subscriptions (limit {limit})"))
            .with_details(LimitReached { limit, current });
        Self { kind: TopicErrorKind::Limit { limit, current }, wire }
    }

    pub(crate) fn members_limit(topic: &str, limit: usize, current: usize) -> Self {
        let wire = WsError::resource_exhausted(format!("the topic `{topic}` is full (limit {limit})"))
            .with_details(LimitReached { limit, current });
        Self { kind: TopicErrorKind::MembersLimit { limit, current }, wire }
    }

    pub(crate) fn pattern_limit(pattern: &str, limit: usize, current: usize) -> Self {
        let wire = WsError::resource_exhausted(format!("too many subscriptions to `{pattern}` (limit {limit})"))
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
        let wire = WsError::unavailable("authorization kept being revoked while it was checked: try again");
        Self { kind: TopicErrorKind::Unanswered, wire }
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn cluster(error: switchboard_cluster::ClusterError) -> Self {
        Self { kind: TopicErrorKind::Unavailable, wire: super::link::wire_error(error) }
    }

    pub(crate) fn closed() -> Self {
        Self { kind: TopicErrorKind::Closed, wire: WsError::cancelled("the connection is closed") }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> TopicErrorKind {
        self.kind
    }

    /// Returns whether the same change may succeed later.
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

/// The source is the [`WsError`] that it converts into.
impl Error for TopicError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.wire)
    }
}

/// `INVALID_ARGUMENT` for the topic's name, `RESOURCE_EXHAUSTED` with `{limit, current}` for a
/// limit, the error of the authorization rule or `UNAVAILABLE` if it timed out, and `CANCELLED` for
/// a closed connection.
impl From<TopicError> for WsError {
    fn from(error: TopicError) -> Self {
        error.wire
    }
}

/// Responds with the [`WsError`] that it converts into.
impl IntoResponse for TopicError {
    fn into_response(self) -> Response {
        WsError::from(self).into_response()
    }
}

fn not_allowed(topic: &str, pattern: &str) -> WsError {
    WsError::invalid_argument(format!("the topic name `{topic}` is not allowed by the rule for `{pattern}`"))
}

fn unanswered(topic: &str) -> WsError {
    WsError::unavailable(format!("authorization for `{topic}` timed out"))
}

/// An error of publishing. Nothing was published, unless its kind is [`Unknown`](PublishErrorKind::Unknown).
#[derive(Debug)]
pub struct PublishError(Cause);

#[derive(Debug)]
enum Cause {
    InvalidTopic(WsError),
    Invalid(SendError),
    Overloaded(WsError),
    NotAllowed(WsError),
    Refused(WsError),
    Unanswered(WsError),
    #[cfg(feature = "cluster")]
    Cluster(switchboard_cluster::ClusterError, WsError),
}

/// The kind of a [`PublishError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishErrorKind {
    /// The name is empty, longer than 128 bytes, or contains control characters, spaces, `*` or
    /// `>`.
    InvalidTopic,
    /// The message breaks its own validation rules, or cannot be serialised.
    Invalid,
    /// 1024 earlier publishes to the topic, which has many subscribers, are still in progress.
    ///
    /// For a [`Batch`](crate::Batch): [`max_waiting`](crate::BatchOptions::max_waiting) items are
    /// waiting.
    Overloaded,
    /// [`TopicOptions::allow_names`](crate::TopicOptions::allow_names) rejects the name.
    NotAllowed,
    /// [`TopicOptions::authorize_publish`](crate::TopicOptions::authorize_publish) refused.
    Refused,
    /// [`TopicOptions::authorize_publish`](crate::TopicOptions::authorize_publish) timed out.
    Unanswered,
    /// The broker could not be reached, or refused, or too many publishes wait for it.
    Unavailable,
    /// The broker did not answer in time: the message may reach its subscribers.
    Unknown,
}

impl PublishError {
    pub(crate) fn invalid_topic(error: InvalidTopic) -> Self {
        Self(Cause::InvalidTopic(error.into()))
    }

    pub(crate) fn invalid(source: SendError) -> Self {
        Self(Cause::Invalid(source))
    }

    pub(crate) fn overloaded() -> Self {
        Self(Cause::Overloaded(WsError::unavailable("too many publishes to this topic are in progress")))
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn cluster(error: switchboard_cluster::ClusterError) -> Self {
        Self(Cause::Cluster(error, super::link::wire_error(error)))
    }

    pub(crate) fn full(limit: usize) -> Self {
        let wire = WsError::resource_exhausted(format!(
            "too many items are waiting (limit {limit}): publish fewer, or raise `BatchOptions::max_waiting`"
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

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> PublishErrorKind {
        match self.0 {
            Cause::NotAllowed(_) => PublishErrorKind::NotAllowed,
            Cause::Refused(_) => PublishErrorKind::Refused,
            Cause::Unanswered(_) => PublishErrorKind::Unanswered,
            Cause::InvalidTopic(_) => PublishErrorKind::InvalidTopic,
            Cause::Invalid(_) => PublishErrorKind::Invalid,
            Cause::Overloaded(_) => PublishErrorKind::Overloaded,
            #[cfg(feature = "cluster")]
            Cause::Cluster(error, _) if error.is_unknown() => PublishErrorKind::Unknown,
            #[cfg(feature = "cluster")]
            Cause::Cluster(..) => PublishErrorKind::Unavailable,
        }
    }

    /// Returns whether the same publish may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match &self.0 {
            Cause::InvalidTopic(_) | Cause::Invalid(_) | Cause::NotAllowed(_) => false,
            Cause::Overloaded(_) | Cause::Unanswered(_) => true,
            Cause::Refused(wire) => wire.retryable().unwrap_or_default(),
            #[cfg(feature = "cluster")]
            Cause::Cluster(error, _) => error.retryable(),
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
            #[cfg(feature = "cluster")]
            Cause::Cluster(error, _) => fmt::Display::fmt(error, f),
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
            #[cfg(feature = "cluster")]
            Cause::Cluster(error, _) => Some(error),
        }
    }
}

/// `INVALID_ARGUMENT` for the topic's name, `INTERNAL` for an invalid message, which is the
/// server's fault, `UNAVAILABLE` for an overloaded topic, `RESOURCE_EXHAUSTED` for a full batch,
/// and the error of the authorization rule or `UNAVAILABLE` if it timed out. `UNAVAILABLE` for a
/// broker that cannot be reached, with `{"outcome": "unknown"}` if it did not answer in time.
impl From<PublishError> for WsError {
    fn from(error: PublishError) -> Self {
        match error.0 {
            Cause::InvalidTopic(wire)
            | Cause::Overloaded(wire)
            | Cause::NotAllowed(wire)
            | Cause::Refused(wire)
            | Cause::Unanswered(wire) => wire,
            Cause::Invalid(error) => Self::internal(error),
            #[cfg(feature = "cluster")]
            Cause::Cluster(_, wire) => wire,
        }
    }
}

/// Responds with the [`WsError`] that it converts into.
impl IntoResponse for PublishError {
    fn into_response(self) -> Response {
        WsError::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_that_may_succeed_later() {
        assert!(TopicError::limit(8, 8).retryable());
        assert!(TopicError::members_limit("t", 8, 8).retryable());
        assert!(TopicError::unsettled().retryable());
        assert!(TopicError::refused("t", Refusal::TimedOut).retryable());
        assert!(TopicError::refused("t", Refusal::Refused(WsError::unavailable("later"))).retryable());
        assert!(!TopicError::refused("t", Refusal::Refused(WsError::permission_denied("never"))).retryable());
        assert!(!TopicError::not_allowed("t", "t").retryable());
        // Whatever its code says: the connection is gone.
        assert!(!TopicError::closed().retryable());
    }

    #[test]
    fn errors_are_responses_and_have_sources() {
        assert_eq!(TopicError::limit(8, 8).into_response().status().as_u16(), 429);
        let refused = || PublishError::refused("t", Refusal::Refused(WsError::permission_denied("no")));
        assert_eq!(refused().into_response().status().as_u16(), 403);
        for error in [refused(), PublishError::not_allowed("t", "t*"), PublishError::refused("t", Refusal::TimedOut)] {
            let source = error.source().and_then(<dyn Error>::downcast_ref::<WsError>);
            assert_eq!(source.unwrap().message(), error.to_string());
        }
    }
}
