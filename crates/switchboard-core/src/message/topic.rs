//! The rules for topic names.

use std::fmt;

use crate::WsError;

/// A topic's name breaks the rules: 1–128 bytes without control characters, spaces, `*` and `>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTopic;

impl fmt::Display for InvalidTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a topic must be 1 to 128 bytes without control characters, spaces, `*` and `>`")
    }
}

impl std::error::Error for InvalidTopic {}

/// `INVALID_ARGUMENT`.
impl From<InvalidTopic> for WsError {
    fn from(error: InvalidTopic) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

/// Checks a topic: 1–128 bytes of UTF-8 without control characters, spaces, `*` or `>`.
///
/// # Errors
///
/// [`InvalidTopic`].
pub fn check_topic(topic: &str) -> Result<(), InvalidTopic> {
    let fits = (1..=128).contains(&topic.len());
    if fits && !topic.chars().any(|c| c.is_control() || c.is_whitespace() || c == '*' || c == '>') {
        Ok(())
    } else {
        Err(InvalidTopic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_names_are_validated() {
        for good in ["a", "room:42", "комната:1", &"x".repeat(128)] {
            assert!(check_topic(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a*", "a.>", "a\0", "a\r\nb", "a\u{a0}b", &"x".repeat(129)] {
            assert!(check_topic(bad).is_err(), "{bad:?}");
        }
    }
}
