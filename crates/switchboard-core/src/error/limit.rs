//! The details of errors about limits.

use serde::{Serialize, Serializer, ser::SerializeMap as _};

/// The details of an error about a limit: `{limit, current}`.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub struct LimitReached {
    /// The limit in force.
    pub limit: usize,
    /// How much is in use.
    pub current: usize,
}

impl Serialize for LimitReached {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("limit", &self.limit)?;
        map.serialize_entry("current", &self.current)?;
        map.end()
    }
}
