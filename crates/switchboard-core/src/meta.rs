//! Keys of a message type's own in `meta`.

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
    /// All the rules that are broken, with paths in wire names, without the `meta.` in front.
    fn validate(&self) -> Result<(), Issues> {
        Ok(())
    }

    /// The JSON Schema of these keys, for the [`Contract`](crate::Contract). `true`, which allows
    /// anything, unless the type says better.
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
