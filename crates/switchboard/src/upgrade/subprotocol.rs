//! Which subprotocol is chosen.

use http::{HeaderMap, HeaderValue, header, request::Parts};

use super::token::TokenEntry;

/// The client's offer, in its order.
pub(super) fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value: &HeaderValue| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|protocol| !protocol.is_empty())
}

/// A known one that was offered; else the entry that the token came in, since a browser fails a
/// connection that offered protocols and got none; else none.
pub(super) fn choose(parts: &Parts, known: &[String]) -> Option<String> {
    let known = known.iter().find(|known| offered(&parts.headers).any(|offered| offered == known.as_str()));
    match known {
        Some(protocol) => Some(protocol.clone()),
        None => parts.extensions.get::<TokenEntry>().map(|entry| entry.0.clone()),
    }
}
