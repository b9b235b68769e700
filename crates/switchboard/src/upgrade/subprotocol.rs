//! Which subprotocol is chosen.

use http::request::Parts;
use switchboard_frame::handshake::choose_subprotocol;

use super::token::TokenEntry;

/// A known one that was offered; else the entry that the token came in, since a browser fails a
/// connection that offered protocols and got none; else none.
pub(super) fn choose(parts: &Parts, known: &[String]) -> Option<String> {
    match choose_subprotocol(&parts.headers, known) {
        Some(protocol) => Some(protocol.to_owned()),
        None => parts.extensions.get::<TokenEntry>().map(|entry| entry.0.clone()),
    }
}
