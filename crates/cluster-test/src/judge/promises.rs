//! What is promised, as times.

use std::time::Duration;

/// A loss on links that stay up is told within this time.
pub const TOLD: Duration = Duration::from_secs(2);

/// What a busy machine may add to [`TOLD`] between a node and what the client records.
pub const SLACK: Duration = Duration::from_millis(500);

/// How long after a fault everything works again, and losses of that time are told.
pub const RECOVERY: Duration = Duration::from_secs(12);

/// Each request ends within this time, on a node that runs.
pub const ANSWER: Duration = Duration::from_secs(15);

/// A user without connections is offline everywhere within this time.
pub const OFFLINE: Duration = Duration::from_secs(10);

/// A user with a connection is online everywhere within this time.
pub const ONLINE: Duration = Duration::from_secs(3);

/// 99 of 100 commands for users of another node reach them within this time.
pub const COMMAND: Duration = Duration::from_secs(1);

/// Each command for a user of another node reaches them within this time.
pub const SLOWEST_COMMAND: Duration = Duration::from_secs(5);

/// The loss of a message that was published in the first moments of a subscription may not be noticed.
pub const JOIN_MARGIN: Duration = Duration::from_millis(250);
