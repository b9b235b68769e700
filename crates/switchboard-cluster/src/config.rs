//! The limits and times of a cluster.

use std::{error::Error, fmt, time::Duration};

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr;)*) => {
        /// The limits and times of a node. All nodes of an application should have the same times.
        ///
        /// | setting | default |
        /// |---|---|
        $(#[doc = concat!("| [`", stringify!($name), "`](Self::", stringify!($name), ") | `", stringify!($default), "` |")])*
        ///
        /// ```
        /// use std::time::Duration;
        ///
        /// use switchboard_cluster::ClusterConfig;
        ///
        /// let config = ClusterConfig::new().linger(Duration::from_secs(30)).max_nodes(64);
        /// # let _ = config;
        /// ```
        #[derive(Debug, Clone)]
        #[must_use]
        pub struct ClusterConfig {
            $(pub(crate) $name: $type,)*
        }

        impl Default for ClusterConfig {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl ClusterConfig {
            $($(#[$doc])*
            pub fn $name(mut self, $name: $type) -> Self {
                self.$name = $name;
                self
            })*
        }
    };
}

settings! {
    /// Sets the time between two heartbeats of a node. It varies by 20 %, so that nodes do not send at the same time.
    heartbeat: Duration = Duration::from_millis(1000);
    /// Sets after how long without a heartbeat a node is down.
    node_timeout: Duration = Duration::from_millis(4000);
    /// Sets how long the users of a node that is down still count as online: the node may come back. The users of a node
    /// that is heard, but does not answer what it has of them, count as online for `node_timeout` and this time.
    node_grace: Duration = Duration::from_millis(5000);
    /// Sets how long a topic or user without local subscribers stays subscribed at the broker.
    linger: Duration = Duration::from_millis(5000);
    /// Sets how long a message that a heartbeat has named may take to arrive before it counts as lost. The heartbeat may
    /// overtake it.
    arrival_grace: Duration = Duration::from_millis(500);
    /// Sets how long after joining a topic a missing message may have been published before the node joined. A message
    /// that is lost in this time may not be noticed.
    join_margin: Duration = Duration::from_millis(250);
    /// Sets how long the position of a publisher in a topic is kept without a message.
    position_ttl: Duration = Duration::from_secs(60);
    /// Sets how long the broker may take to answer an operation. It should be longer than the adapter's own timeout.
    operation_timeout: Duration = Duration::from_secs(10);
    /// Sets how long a publish waits until this node's subscribers have the message, once the broker has accepted it.
    echo_timeout: Duration = Duration::from_secs(2);
    /// Sets how long a command waits for acknowledgements.
    command_timeout: Duration = Duration::from_millis(1000);
    /// Sets how long a question waits for answers.
    question_timeout: Duration = Duration::from_millis(300);
    /// Sets after how long without any message the link is probed.
    silence: Duration = Duration::from_millis(5000);
    /// Sets how long a probe may take. After two that were missed, the node reconnects.
    probe_timeout: Duration = Duration::from_millis(1000);
    /// Sets how long a node that hears itself but no other node counts as suspect, if it has heard others before.
    suspect_for: Duration = Duration::from_secs(60);
    /// Sets how long changes of users are collected before they are sent to the other nodes.
    users_interval: Duration = Duration::from_millis(100);
    /// Sets how long a node waits, at random, before it asks another for a snapshot of its users.
    snapshot_jitter: Duration = Duration::from_millis(200);
    /// Sets how long a snapshot may take before it is asked for again.
    snapshot_timeout: Duration = Duration::from_secs(2);
    /// Limits the other nodes that are known. Heartbeats of more are counted and ignored.
    max_nodes: usize = 1024;
    /// Limits the topics and users that this node is subscribed to at the broker.
    max_channels: usize = 1_000_000;
    /// Limits the subscriptions that wait for the broker.
    max_waiting_joins: usize = 100_000;
    /// Limits the subscriptions that are repaired at a time.
    max_repairs: usize = 256;
    /// Limits the publishes that wait for the broker's answer.
    max_pending_publishes: usize = 16_384;
    /// Limits the bytes of publishes that wait for the broker's answer.
    max_pending_bytes: usize = 64 * 1024 * 1024;
    /// Limits the topics whose last publish is remembered. Losses in others are not noticed.
    max_published_topics: usize = 1_000_000;
    /// Limits the topics that one heartbeat lists. The others follow in later heartbeats.
    max_listed_topics: usize = 8192;
    /// Limits the positions of publishers that are kept, over all topics.
    max_positions: usize = 4_000_000;
    /// Limits the connections that one publish can exclude.
    max_excluded: usize = 1024;
    /// Limits the users that this node announces.
    max_local_users: usize = 1_000_000;
    /// Limits the users of other nodes that are known. If there are more, answers about users say that they are
    /// incomplete.
    max_remote_users: usize = 4_000_000;
    /// Limits the users in one message.
    max_users_per_message: usize = 512;
    /// Limits the snapshots that are asked for at a time.
    max_snapshot_requests: usize = 8;
    /// Limits the commands that wait for acknowledgements.
    max_pending_commands: usize = 16_384;
    /// Limits the questions that wait for answers.
    max_pending_questions: usize = 256;
    /// Limits the requests of this node to clients of other nodes that wait for responses.
    max_client_requests: usize = 4096;
    /// Limits the requests of other nodes that wait for clients of this node. Further ones are incomplete at once.
    max_served_requests: usize = 4096;
    /// Limits the bytes of one client's response to a request of another node. A longer one is an error there.
    max_response_bytes: usize = 256 * 1024;
    /// Limits the bytes of all responses to one request to clients of other nodes. Further ones are missing, and the
    /// request is incomplete.
    max_collected_bytes: usize = 16 * 1024 * 1024;
    /// Limits what the caller has not taken from the state machine yet. Beyond it, incoming messages are dropped: those of
    /// topics are told as gaps, commands and questions end incomplete at their senders.
    max_outputs: usize = 65_536;
    /// Limits the bytes of the messages in what the caller has not taken yet. Beyond it, incoming messages are dropped as
    /// beyond `max_outputs`, and publishes, commands, questions and requests are refused.
    max_output_bytes: usize = 128 * 1024 * 1024;
}

impl ClusterConfig {
    /// Creates the default configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks that the times fit together.
    ///
    /// # Errors
    ///
    /// [`InvalidClusterConfig`] names the setting and what it must be.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard_cluster::ClusterConfig;
    ///
    /// let error = ClusterConfig::new().node_timeout(Duration::from_secs(1)).check().unwrap_err();
    /// assert_eq!(error.to_string(), "node_timeout must be at least three times heartbeat");
    /// ```
    pub fn check(&self) -> Result<(), InvalidClusterConfig> {
        let checks = [
            (self.heartbeat >= MIN_HEARTBEAT, "heartbeat", "at least 10 ms"),
            (self.node_timeout >= self.heartbeat.saturating_mul(3), "node_timeout", "at least three times heartbeat"),
            (self.silence >= self.heartbeat.saturating_mul(2), "silence", "at least twice heartbeat"),
            (!self.probe_timeout.is_zero(), "probe_timeout", "longer than zero"),
            (!self.operation_timeout.is_zero(), "operation_timeout", "longer than zero"),
            (self.max_channels >= 2, "max_channels", "at least 2: a node needs two for itself"),
            (self.max_pending_publishes > 0, "max_pending_publishes", "at least 1"),
            (self.max_listed_topics > 0, "max_listed_topics", "at least 1"),
            (self.max_outputs > 0, "max_outputs", "at least 1"),
            (self.max_output_bytes > 0, "max_output_bytes", "at least 1"),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            Some((_, setting, must_be)) => Err(InvalidClusterConfig { setting, must_be }),
            None => Ok(()),
        }
    }
}

/// The shortest time between heartbeats, whatever the setting.
pub(crate) const MIN_HEARTBEAT: Duration = Duration::from_millis(10);

/// The error of [`ClusterConfig::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidClusterConfig {
    setting: &'static str,
    must_be: &'static str,
}

impl fmt::Display for InvalidClusterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.setting, self.must_be)
    }
}

impl Error for InvalidClusterConfig {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_fit_together() {
        assert_eq!(ClusterConfig::new().check(), Ok(()));
    }
}
