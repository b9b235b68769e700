//! Which node, and which of its lives.

use std::fmt;

/// The id of a node: 128 random bits, chosen by the node when it starts.
///
/// Ids sort bytewise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId([u8; 16]);

impl NodeId {
    /// Creates an id from random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which life of a node: 64 random bits, chosen anew when a node starts, and when it learns that others took it for
/// dead.
///
/// Counters and versions of a node begin again with each incarnation. Incarnations have no order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Incarnation(u64);

impl Incarnation {
    /// Creates an incarnation from random bits.
    #[must_use]
    pub const fn from_u64(bits: u64) -> Self {
        Self(bits)
    }

    /// Returns the bits.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// 16 hexadecimal digits.
impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_all_their_digits() {
        let mut bytes = [0; 16];
        bytes[15] = 10;
        assert_eq!(NodeId::from_bytes(bytes).to_string(), "0000000000000000000000000000000a");
        assert_eq!(format!("{:?}", Incarnation::from_u64(255)), "00000000000000ff");
    }
}
