//! Chooses the subprotocol.

use http::request::Parts;
use switchboard_frame::handshake::{choose_subprotocol, offered_subprotocols};

use super::Admission;
use super::token;

/// The extended dialect in JSON.
pub(super) const JSON: &str = "switchboard.v1.json";

/// The extended dialect in MessagePack.
pub(super) const MESSAGEPACK: &str = "switchboard.v1.msgpack";

/// The subprotocols of this library.
pub(crate) const PROTOCOLS: [&str; 2] = [JSON, MESSAGEPACK];

/// Chooses the first of [`PROTOCOLS`] that the client offered, else one of the application's, else
/// an entry with a token: a browser fails a connection that offered subprotocols and got none. Also
/// if the token of that entry was not used, because a cookie had one or the route needs none.
pub(super) fn choose(parts: &Parts, admission: &Admission) -> Option<String> {
    if !admission.raw {
        let ours = offered_subprotocols(&parts.headers).find(|offered| PROTOCOLS.contains(offered));
        if let Some(protocol) = ours {
            return Some(protocol.to_owned());
        }
    }
    match choose_subprotocol(&parts.headers, &admission.protocols) {
        Some(protocol) => Some(protocol.to_owned()),
        None => token::entry(parts).map(|(entry, _)| entry.to_owned()),
    }
}
