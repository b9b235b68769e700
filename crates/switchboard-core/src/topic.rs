//! The rules for topic names.

use crate::WsError;

/// Checks a topic: 1–128 bytes of UTF-8 without control characters, spaces, `*` or `>`.
///
/// # Errors
///
/// `INVALID_ARGUMENT` that names the broken rule.
pub fn check_topic(topic: &str) -> Result<(), WsError> {
    if topic.is_empty() || topic.len() > 128 {
        return Err(WsError::invalid_argument("a topic must be 1 to 128 bytes long"));
    }
    if topic.chars().any(|c| c.is_control() || c.is_whitespace() || c == '*' || c == '>') {
        return Err(WsError::invalid_argument("a topic must not contain control characters, spaces, `*` or `>`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_7_7_topic_names() {
        for good in ["a", "room:42", "комната:1", &"x".repeat(128)] {
            assert!(check_topic(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a*", "a.>", "a\0", "a\r\nb", "a\u{a0}b", &"x".repeat(129)] {
            assert!(check_topic(bad).is_err(), "{bad:?}");
        }
    }
}
