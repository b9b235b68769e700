//! Numbers as strings, for `#[serde(with = "…")]`.
//!
//! JavaScript's numbers are exact up to 2^53 − 1. Clients get a larger one as a string:
//!
//! ```
//! # mod switchboard { pub use switchboard_core::{as_string, __private}; }
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     #[serde(with = "switchboard::as_string")]
//!     id: u64,
//! }
//!
//! let text = serde_json::to_string(&Order { id: u64::MAX })?;
//! assert_eq!(text, r#"{"id":"18446744073709551615"}"#);
//! assert_eq!(serde_json::from_str::<Order>(&text)?.id, u64::MAX);
//! # Ok::<_, serde_json::Error>(())
//! ```
//!
//! In a message write `#[ws(string)]`: it says so in the contract, too, and takes an `Option` as well.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

/// Writes the value as a string.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Reads the value from a string.
///
/// # Errors
///
/// If it is no string, or not one of this type.
pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom("not a number in a string"))
}

/// The same for an [`Option`]: `null` or a string.
pub mod option {
    use super::{Cow, Deserializer, Display, FromStr, Serializer};
    use serde::{Deserialize as _, de::Error as _};

    /// Writes the value as a string, or `null`.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the value from a string, or from `null`.
    ///
    /// # Errors
    ///
    /// If it is neither, or not one of this type.
    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(deserializer)?;
        let parse = |text: Cow<'de, str>| text.parse().map_err(|_| D::Error::custom("not a number in a string"));
        text.map(parse).transpose()
    }
}
