//! Which subprotocol is chosen.

use http::request::Parts;
use switchboard_frame::handshake::{choose_subprotocol, offered_subprotocols};

use super::Admission;
use super::token::TokenEntry;

/// The extended dialect in JSON.
pub(super) const JSON: &str = "switchboard.v1.json";

/// The extended dialect in MessagePack.
pub(super) const MESSAGEPACK: &str = "switchboard.v1.msgpack";

/// All of the protocol's own.
pub(crate) const PROTOCOLS: [&str; 2] = [JSON, MESSAGEPACK];

/// The protocol's own if one was offered, the first of them in the client's order; else one of the
/// application's; else the entry that the token came in, since a browser fails a connection that
/// offered protocols and got none; else none.
pub(super) fn choose(parts: &Parts, admission: &Admission) -> Option<String> {
    if !admission.raw {
        let ours = offered_subprotocols(&parts.headers).find(|offered| PROTOCOLS.contains(offered));
        if let Some(protocol) = ours {
            return Some(protocol.to_owned());
        }
    }
    match choose_subprotocol(&parts.headers, &admission.protocols) {
        Some(protocol) => Some(protocol.to_owned()),
        None => parts.extensions.get::<TokenEntry>().map(|entry| entry.0.clone()),
    }
}
