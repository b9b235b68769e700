//! Checks the response of a server.

use std::fmt;

use http::{HeaderMap, StatusCode, header};

use super::{
    accept_key,
    list::{elements, has_token, only},
};

/// Checks the response to a client's upgrade over HTTP/1.1 (RFC 6455, section 4.1). `key` is the
/// `Sec-WebSocket-Key` that was sent, `offered` the subprotocols. Returns the chosen one, if any.
///
/// ```
/// use http::{HeaderMap, HeaderValue, StatusCode, header};
/// use switchboard_frame::handshake::{ResponseError, check_response};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
/// headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
/// headers.insert(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
/// headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("chat"));
/// let key = "dGhlIHNhbXBsZSBub25jZQ==";
/// let chosen = check_response(StatusCode::SWITCHING_PROTOCOLS, &headers, key, &["soap", "chat"])?;
/// assert_eq!(chosen, Some("chat"));
/// # Ok::<(), ResponseError>(())
/// ```
///
/// # Errors
///
/// Returns the first rule that the response breaks. The connection is not a WebSocket then.
pub fn check_response<'o, S: AsRef<str>>(
    status: StatusCode,
    headers: &HeaderMap,
    key: &str,
    offered: &'o [S],
) -> Result<Option<&'o str>, ResponseError> {
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(ResponseError::Status(status));
    }
    let upgrade = only(headers, &header::UPGRADE).map(<[u8]>::trim_ascii);
    if !upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case(b"websocket")) {
        return Err(ResponseError::Upgrade);
    }
    if !has_token(headers, &header::CONNECTION, "upgrade") {
        return Err(ResponseError::Connection);
    }
    let accept = only(headers, &header::SEC_WEBSOCKET_ACCEPT).map(<[u8]>::trim_ascii);
    if accept != Some(&accept_key(key.as_bytes())) {
        return Err(ResponseError::Accept);
    }
    if elements(headers, &header::SEC_WEBSOCKET_EXTENSIONS).any(|extension| !extension.is_empty()) {
        return Err(ResponseError::Extension);
    }
    if !headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        return Ok(None);
    }
    let chosen = only(headers, &header::SEC_WEBSOCKET_PROTOCOL).map(<[u8]>::trim_ascii);
    let known = offered.iter().map(AsRef::as_ref).find(|offered| Some(offered.as_bytes()) == chosen);
    known.map(Some).ok_or(ResponseError::Subprotocol)
}

/// Why a response does not open a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The status is not 101: the server refused, or requires something else first.
    Status(StatusCode),
    /// No `Upgrade: websocket`.
    Upgrade,
    /// No `Connection: upgrade`.
    Connection,
    /// A `Sec-WebSocket-Accept` that does not belong to the key, or none.
    Accept,
    /// An extension, although none was offered.
    Extension,
    /// A subprotocol that was not offered, or more than one.
    Subprotocol,
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the server answered {status} instead of 101"),
            Self::Upgrade => f.write_str("the response has no `Upgrade: websocket`"),
            Self::Connection => f.write_str("the response has no `Connection: upgrade`"),
            Self::Accept => f.write_str("the response's `Sec-WebSocket-Accept` does not belong to the key"),
            Self::Extension => f.write_str("the server chose an extension that was not offered"),
            Self::Subprotocol => f.write_str("the server chose a subprotocol that was not offered"),
        }
    }
}

impl std::error::Error for ResponseError {}

#[cfg(test)]
mod tests;
