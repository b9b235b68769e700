//! One JSON Schema.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON Schema of draft 2020-12, in a [`Contract`](super::Contract).
///
/// It is read and written with serde, and shown as JSON.
///
/// ```
/// use switchboard_core::contract::Schema;
///
/// let schema: Schema = serde_json::from_str(r#"{ "type": "string" }"#)?;
/// assert_eq!(schema.to_string(), r#"{"type":"string"}"#);
/// assert_eq!(Schema::any().to_string(), "true");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(pub(super) Value);

impl Schema {
    /// `true`, which allows anything.
    #[must_use]
    pub fn any() -> Self {
        Self(Value::Bool(true))
    }

    #[cfg(feature = "schema")]
    pub(super) fn new(schema: Value) -> Self {
        Self(schema)
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
