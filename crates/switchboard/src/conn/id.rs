//! Connection ids.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// A connection's id: a UUID v7. The upgrade's response carries it in the header `x-client-id`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(Uuid);

impl ConnId {
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The creation time in a UUID v7, in milliseconds since 1970.
    pub(super) fn created_at_ms(self) -> u64 {
        let [a, b, c, d, e, f, ..] = *self.as_bytes();
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// Creates the id of a connection of another node, or of this one.
    #[cfg(feature = "cluster")]
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Returns the bytes of the UUID.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// Parses a UUID.
impl FromStr for ConnId {
    type Err = InvalidConnId;

    fn from_str(text: &str) -> Result<Self, InvalidConnId> {
        text.parse().map(Self).map_err(|_| InvalidConnId(()))
    }
}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error of parsing a [`ConnId`]: the text is not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidConnId(());

impl fmt::Display for InvalidConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid connection id: expected a UUID")
    }
}

impl std::error::Error for InvalidConnId {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_of_version_7_and_differ() {
        let ids: Vec<_> = (0..1000).map(|_| ConnId::new()).collect();
        assert!(ids.iter().all(|id| id.0.get_version_num() == 7));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1000);
    }
}
