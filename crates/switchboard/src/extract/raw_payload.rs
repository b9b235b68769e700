//! The payload before decoding.

use switchboard_core::WsError;

use super::{FromMessageParts, MessageParts, Setup};

/// The payload of the message as JSON text, before decoding. MessagePack payloads are converted.
///
/// ```
/// use switchboard::{RawPayload, ws_message};
///
/// #[ws_message("STORE", allow_unknown)]
/// struct Store {
///     key: String,
/// }
///
/// async fn store(raw: RawPayload, store: Store) {
///     println!("{}: {}", store.key, raw.as_str());
/// }
/// # let _ = switchboard::WsRouter::<()>::new().on(store);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawPayload(String);

impl RawPayload {
    /// Returns the JSON text; empty if the message has no payload.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Converts into the JSON text; empty if the message has no payload.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<S: Send + Sync + 'static, D: Send + Sync + 'static> FromMessageParts<S, D> for RawPayload {
    type Rejection = WsError;

    async fn from_message_parts(parts: &mut MessageParts<D>, _: &S) -> Result<Self, WsError> {
        Ok(Self(parts.raw_payload().unwrap_or_default()))
    }

    fn setup(setup: &mut Setup<S>) {
        setup.keep_frame();
    }
}
