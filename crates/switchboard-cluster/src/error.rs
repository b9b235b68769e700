//! Why something was not done.

use std::{error::Error, fmt};

use switchboard_core::broker::BrokerErrorKind;

/// Why an operation of a [`Cluster`](crate::Cluster) failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClusterError {
    /// The broker failed. After [`BrokerErrorKind::Unknown`] the operation may have taken place.
    Broker(BrokerErrorKind),
    /// Too many publishes wait for the broker.
    TooManyPublishes {
        /// [`max_pending_publishes`](crate::ClusterConfig::max_pending_publishes).
        limit: usize,
    },
    /// The publishes that wait for the broker have too many bytes.
    TooManyBytes {
        /// [`max_pending_bytes`](crate::ClusterConfig::max_pending_bytes).
        limit: usize,
    },
    /// A publish excludes too many connections.
    TooManyExcluded {
        /// [`max_excluded`](crate::ClusterConfig::max_excluded).
        limit: usize,
    },
    /// The node is subscribed to too many topics and users.
    TooManyChannels {
        /// [`max_channels`](crate::ClusterConfig::max_channels).
        limit: usize,
    },
    /// Too many subscriptions wait for the broker.
    TooManyJoins {
        /// [`max_waiting_joins`](crate::ClusterConfig::max_waiting_joins).
        limit: usize,
    },
    /// The node has too many users.
    TooManyUsers {
        /// [`max_local_users`](crate::ClusterConfig::max_local_users).
        limit: usize,
    },
    /// Too many commands wait for acknowledgements.
    TooManyCommands {
        /// [`max_pending_commands`](crate::ClusterConfig::max_pending_commands).
        limit: usize,
    },
    /// Too many questions wait for answers.
    TooManyQuestions {
        /// [`max_pending_questions`](crate::ClusterConfig::max_pending_questions).
        limit: usize,
    },
    /// Too many requests to clients of other nodes wait for responses.
    TooManyClientRequests {
        /// [`max_client_requests`](crate::ClusterConfig::max_client_requests).
        limit: usize,
    },
    /// A client's response to a request of another node is too long.
    ResponseTooLong {
        /// [`max_response_bytes`](crate::ClusterConfig::max_response_bytes).
        limit: usize,
    },
    /// What waits for the caller of this state machine, which is behind, has too many bytes.
    TooManyOutputBytes {
        /// [`max_output_bytes`](crate::ClusterConfig::max_output_bytes).
        limit: usize,
    },
    /// The node is leaving the cluster.
    Draining,
}

impl ClusterError {
    /// Returns whether a retry may succeed.
    #[must_use]
    pub fn retryable(self) -> bool {
        !matches!(
            self,
            Self::Broker(BrokerErrorKind::Rejected | BrokerErrorKind::Closed)
                | Self::TooManyExcluded { .. }
                | Self::ResponseTooLong { .. }
                | Self::Draining
        )
    }

    /// Returns whether the operation may have taken place.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        self == Self::Broker(BrokerErrorKind::Unknown)
    }
}

impl fmt::Display for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broker(BrokerErrorKind::Unavailable) => f.write_str("the broker is not reachable"),
            Self::Broker(BrokerErrorKind::Overloaded) => f.write_str("the broker is overloaded"),
            Self::Broker(BrokerErrorKind::Unknown) => f.write_str("the broker did not answer, and may have done it"),
            Self::Broker(BrokerErrorKind::Closed) => f.write_str("the broker was shut down"),
            Self::Broker(_) => f.write_str("the broker refused"),
            Self::TooManyPublishes { limit } => write!(f, "too many publishes wait for the broker (limit {limit})"),
            Self::TooManyBytes { limit } => write!(f, "too many bytes wait for the broker (limit {limit})"),
            Self::TooManyExcluded { limit } => write!(f, "too many connections are excluded (limit {limit})"),
            Self::TooManyChannels { limit } => write!(f, "too many topics and users on this node (limit {limit})"),
            Self::TooManyJoins { limit } => write!(f, "too many subscriptions wait for the broker (limit {limit})"),
            Self::TooManyUsers { limit } => write!(f, "too many users on this node (limit {limit})"),
            Self::TooManyCommands { limit } => write!(f, "too many commands wait for other nodes (limit {limit})"),
            Self::TooManyQuestions { limit } => write!(f, "too many questions wait for other nodes (limit {limit})"),
            Self::TooManyClientRequests { limit } => {
                write!(f, "too many requests wait for clients of other nodes (limit {limit})")
            }
            Self::ResponseTooLong { limit } => {
                write!(f, "the response is too long for a request of another node (limit {limit} bytes)")
            }
            Self::TooManyOutputBytes { limit } => {
                write!(f, "too many bytes wait for the link to the broker (limit {limit})")
            }
            Self::Draining => f.write_str("this node is leaving the cluster"),
        }
    }
}

impl Error for ClusterError {}
