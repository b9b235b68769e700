//! Whether a request is a WebSocket handshake (RFC 6455, section 4.2.1).

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header, request::Parts};

use super::{
    refusal::{bad_request, upgrade_required},
    subprotocol,
};

/// More entries are no honest offer.
const MAX_SUBPROTOCOLS: usize = 64;

/// 426 for a request that wants no WebSocket or another version of it, 400 for a malformed one.
pub(crate) fn check(parts: &Parts) -> Result<(), Box<Response>> {
    if parts.version == Version::HTTP_09 || parts.version == Version::HTTP_10 {
        return Err(bad_request("WebSocket needs HTTP/1.1 or HTTP/2"));
    }
    // Extended CONNECT has neither of these headers, and no key.
    let connect = parts.method == Method::CONNECT;
    if !connect && !has_token(&parts.headers, &header::UPGRADE, "websocket") {
        return Err(upgrade_required(
            "this is a WebSocket endpoint: the request must have the header `Upgrade: websocket`",
            &[(header::UPGRADE, "websocket"), (header::CONNECTION, "upgrade")],
        ));
    }
    if !connect && !has_token(&parts.headers, &header::CONNECTION, "upgrade") {
        return Err(bad_request("the header `Connection: upgrade` is missing"));
    }
    match parts.headers.get(header::SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes) {
        Some(b"13") => {}
        Some(_) => {
            return Err(upgrade_required(
                "this WebSocket version is not supported",
                &[(header::SEC_WEBSOCKET_VERSION, "13")],
            ));
        }
        None => return Err(bad_request("the header `Sec-WebSocket-Version` is missing")),
    }
    if !connect && !has_key(&parts.headers) {
        return Err(bad_request("the header `Sec-WebSocket-Key` is missing or not 16 bytes in base64"));
    }
    if subprotocol::offered(&parts.headers).take(MAX_SUBPROTOCOLS + 1).count() > MAX_SUBPROTOCOLS {
        return Err(bad_request("too many subprotocols"));
    }
    Ok(())
}

/// The response to a request that [`check`] has passed.
pub(super) fn accept(parts: &Parts) -> Response {
    let mut response = Response::default();
    if parts.method != Method::CONNECT {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).map_or(&b""[..], HeaderValue::as_bytes);
        let accept = tungstenite::handshake::derive_accept_key(key);
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
    }
    response
}

/// Whether one of a header's comma-separated values is `token`.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

/// Exactly one key, and 16 bytes in base64: 22 digits and `==`.
fn has_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return false };
    match key.as_bytes().strip_suffix(b"==") {
        Some(digits) => {
            digits.len() == 22 && digits.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
        }
        None => false,
    }
}
