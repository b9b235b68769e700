//! Keys that a message type declares in `meta`.

use serde::{Serialize, de::DeserializeOwned};

use crate::Issues;
#[cfg(feature = "contract")]
use crate::contract::{Schema, Schemas};

/// The keys that a message type declares in `meta` beside the protocol's own.
///
/// Write it with `#[ws_meta]` on a struct and name it in the message:
/// `#[ws_message("ROOM_NOTE", meta = RoomMeta)]`. Unlike a payload, unknown keys are ignored.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot extend `meta`", note = "add `#[ws_meta]` to the struct")]
pub trait MessageMeta: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `false` only for `()`.
    const DECLARED: bool = true;

    /// Checks the rules that the types alone do not express.
    ///
    /// # Errors
    ///
    /// All broken rules, with paths in wire names, without the prefix `meta.`.
    fn validate(&self) -> Result<(), Issues> {
        Ok(())
    }

    /// Returns the JSON Schema of these keys, for the [`Contract`](crate::Contract). The default is
    /// `true`, which allows anything.
    #[cfg(feature = "contract")]
    fn schema(_: &mut Schemas) -> Schema {
        Schema::any()
    }
}

impl MessageMeta for () {
    const DECLARED: bool = false;
}

/// The keys of `meta` that belong to the protocol: a type that declares one does not compile.
#[doc(hidden)]
pub const RESERVED_META_KEYS: [&str; 6] =
    ["clientId", "receivedAt", "timestamp", "correlationId", "timeoutMs", "idempotencyKey"];
