//! Why a request is not a handshake.

use std::fmt;

use http::{HeaderName, HeaderValue, StatusCode, header};

/// The reason why a request is refused, and the HTTP response for it. The text ([`Display`]) says
/// how to fix the request and can be the body.
///
/// [`Display`]: fmt::Display
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// HTTP/1.0 or older.
    HttpVersion,
    /// HTTP/1.1 with another method than GET.
    Method,
    /// HTTP/2 or newer without extended CONNECT.
    NotExtendedConnect,
    /// An extended CONNECT for another protocol.
    OtherProtocol,
    /// No `Upgrade: websocket`.
    NoUpgrade,
    /// No `Connection: upgrade`.
    NoConnectionUpgrade,
    /// No `Sec-WebSocket-Version`, or more than one.
    NoVersion,
    /// Another `Sec-WebSocket-Version` than 13.
    OtherVersion,
    /// No `Sec-WebSocket-Key`, more than one, or one that is not 16 bytes in base64.
    Key,
    /// A `Sec-WebSocket-Protocol` that is not a list of tokens.
    Subprotocol,
    /// More than [`MAX_SUBPROTOCOLS`](super::MAX_SUBPROTOCOLS), or of
    /// [`MAX_SUBPROTOCOL_BYTES`](super::MAX_SUBPROTOCOL_BYTES).
    TooManySubprotocols,
}

impl Refusal {
    /// Returns the status: 400 or 426.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::NoUpgrade | Self::NotExtendedConnect | Self::OtherVersion => StatusCode::UPGRADE_REQUIRED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Returns the headers that belong to the status.
    pub fn headers(self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let headers = match self {
            Self::NoUpgrade => [Some((header::UPGRADE, "websocket")), Some((header::CONNECTION, "Upgrade"))],
            Self::OtherVersion => [Some((header::SEC_WEBSOCKET_VERSION, "13")), None],
            // HTTP/2 does not have these headers.
            _ => [None, None],
        };
        headers.into_iter().flatten().map(|(name, value)| (name, HeaderValue::from_static(value)))
    }

    /// Returns the text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HttpVersion => "WebSocket needs HTTP/1.1 or HTTP/2",
            Self::Method => "this is a WebSocket endpoint: over HTTP/1.1 the method must be GET",
            Self::NotExtendedConnect => {
                "this is a WebSocket endpoint: over HTTP/2 the method must be CONNECT with `:protocol` = `websocket`"
            }
            Self::OtherProtocol => "this is a WebSocket endpoint: `:protocol` must be `websocket`",
            Self::NoUpgrade => "this is a WebSocket endpoint: the request must have the header `Upgrade: websocket`",
            Self::NoConnectionUpgrade => "the header `Connection: upgrade` is missing",
            Self::NoVersion => "the header `Sec-WebSocket-Version: 13` is missing or there twice",
            Self::OtherVersion => "this WebSocket version is not supported: `Sec-WebSocket-Version` must be 13",
            Self::Key => "the header `Sec-WebSocket-Key` is missing, there twice, or not 16 bytes in base64",
            Self::Subprotocol => {
                "the header `Sec-WebSocket-Protocol` must be a list of tokens with commas between them"
            }
            Self::TooManySubprotocols => "too many subprotocols: `Sec-WebSocket-Protocol` may have 64, in 8 KiB",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_names_the_fault() {
        for (refusal, part) in [
            (Refusal::HttpVersion, "HTTP/1.1"),
            (Refusal::Method, "GET"),
            (Refusal::NotExtendedConnect, "CONNECT"),
            (Refusal::OtherProtocol, ":protocol"),
            (Refusal::NoUpgrade, "Upgrade: websocket"),
            (Refusal::NoConnectionUpgrade, "Connection"),
            (Refusal::NoVersion, "Sec-WebSocket-Version"),
            (Refusal::OtherVersion, "13"),
            (Refusal::Key, "Sec-WebSocket-Key"),
            (Refusal::Subprotocol, "Sec-WebSocket-Protocol"),
            (Refusal::TooManySubprotocols, "too many"),
        ] {
            assert!(refusal.as_str().contains(part), "{refusal:?}");
            assert_eq!(refusal.to_string(), refusal.as_str());
        }
    }
}
