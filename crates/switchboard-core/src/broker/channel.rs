//! What nodes publish to and subscribe to.

use std::{borrow::Borrow, fmt, sync::Arc};

use super::NodeId;
use crate::{InvalidTopic, check_topic};

/// The longest key of a user that a [`Channel`] can have, in bytes.
pub const MAX_USER_KEY_BYTES: usize = 256;

/// A channel of a [`Broker`](super::Broker). Cheap to clone.
///
/// Its text ([`Display`](fmt::Display)) differs from that of any other channel. A name in it can contain any character
/// that [`TopicName`] and [`UserKey`] allow, so an adapter encodes those that mean something to its broker.
///
/// ```
/// use switchboard_core::broker::{Channel, NodeId};
///
/// assert_eq!(Channel::topic("room:1")?.to_string(), "t:room:1");
/// assert_eq!(Channel::user("ann")?.to_string(), "u:ann");
/// assert_eq!(Channel::Node(NodeId::from_bytes([1; 16])).to_string(), "n:01010101010101010101010101010101");
/// assert_eq!(Channel::AllNodes.to_string(), "all");
/// assert!(Channel::topic("room *").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Channel {
    /// The messages of a topic, heard by the nodes with subscribers.
    Topic(TopicName),
    /// What concerns a user, heard by the nodes with connections of that user.
    User(UserKey),
    /// What is meant for one node: its inbox.
    Node(NodeId),
    /// What is meant for all nodes.
    AllNodes,
}

impl Channel {
    /// Returns the channel of a topic.
    ///
    /// # Errors
    ///
    /// [`InvalidTopic`].
    pub fn topic(name: &str) -> Result<Self, InvalidTopic> {
        TopicName::new(name).map(Self::Topic)
    }

    /// Returns the channel of a user.
    ///
    /// # Errors
    ///
    /// [`InvalidUserKey`].
    pub fn user(key: &str) -> Result<Self, InvalidUserKey> {
        UserKey::new(key).map(Self::User)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "t:{name}"),
            Self::User(key) => write!(f, "u:{key}"),
            Self::Node(node) => write!(f, "n:{node}"),
            Self::AllNodes => f.write_str("all"),
        }
    }
}

/// The name of a topic, checked by [`check_topic`]: 1–128 bytes without control characters, whitespace, `*` and `>`.
/// Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// Checks a name, and copies it unless it is an `Arc<str>`.
    ///
    /// # Errors
    ///
    /// [`InvalidTopic`].
    pub fn new(name: impl Into<Arc<str>> + AsRef<str>) -> Result<Self, InvalidTopic> {
        check_topic(name.as_ref())?;
        Ok(Self(name.into()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key of a user: 1 to 256 bytes ([`MAX_USER_KEY_BYTES`]) of any characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserKey(Arc<str>);

impl UserKey {
    /// Checks a key, and copies it unless it is an `Arc<str>`.
    ///
    /// # Errors
    ///
    /// [`InvalidUserKey`].
    pub fn new(key: impl Into<Arc<str>> + AsRef<str>) -> Result<Self, InvalidUserKey> {
        check_user_key(key.as_ref())?;
        Ok(Self(key.into()))
    }

    /// Returns the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks the key of a user: 1 to 256 bytes ([`MAX_USER_KEY_BYTES`]).
///
/// # Errors
///
/// [`InvalidUserKey`].
pub fn check_user_key(key: &str) -> Result<(), InvalidUserKey> {
    if (1..=MAX_USER_KEY_BYTES).contains(&key.len()) { Ok(()) } else { Err(InvalidUserKey) }
}

macro_rules! text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        /// So that maps can be searched by `&str`.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text!(TopicName);
text!(UserKey);

/// The key of a user is empty or longer than [`MAX_USER_KEY_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidUserKey;

impl fmt::Display for InvalidUserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key of a user must be 1 to {MAX_USER_KEY_BYTES} bytes")
    }
}

impl std::error::Error for InvalidUserKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(Channel::topic("a\u{a0}b").is_err());
        assert!(Channel::topic(&"x".repeat(129)).is_err());
        assert!(Channel::user("").is_err());
        assert!(Channel::user(&"x".repeat(257)).is_err());
        assert_eq!(Channel::user("ann * >\n").unwrap().to_string(), "u:ann * >\n");
    }

    #[test]
    fn equal_names_of_different_kinds_are_different_channels() {
        let node = NodeId::from_bytes([7; 16]);
        let channels =
            [Channel::topic("all").unwrap(), Channel::user("all").unwrap(), Channel::AllNodes, Channel::Node(node)];
        let texts: std::collections::BTreeSet<_> = channels.iter().map(Channel::to_string).collect();
        assert_eq!(texts.len(), channels.len());
    }
}
