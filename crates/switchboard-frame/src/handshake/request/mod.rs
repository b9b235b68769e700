//! Checks the request of a client.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};

use super::{
    Refusal, accept_key,
    key::is_key,
    list::{has_token, only},
    subprotocol,
};

/// A request that opens a WebSocket, and the response to it.
///
/// The module's page has an example.
#[derive(Debug, Clone)]
pub struct Request {
    /// `None` for an extended CONNECT, which has no key: HTTP/2 declares the protocol of the
    /// stream.
    accept: Option<HeaderValue>,
}

impl Request {
    /// Checks a request (RFC 6455, section 4.2.1; RFC 8441, section 5). `protocol` is the
    /// pseudo-header `:protocol`, which an extended CONNECT has and HTTP/1.1 never.
    ///
    /// The Origin is not checked. Offers of extensions are ignored.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, Method, Version, header};
    /// use switchboard_frame::handshake::Request;
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    /// let request = Request::check(&Method::CONNECT, Version::HTTP_2, &headers, Some("websocket"))?;
    /// assert!(request.is_extended_connect());
    /// assert_eq!((request.status().as_u16(), request.headers().count()), (200, 0));
    /// # Ok::<(), switchboard_frame::handshake::Refusal>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the first rule that the request breaks.
    pub fn check(
        method: &Method,
        version: Version,
        headers: &HeaderMap,
        protocol: Option<&str>,
    ) -> Result<Self, Refusal> {
        let upgrade = match version {
            Version::HTTP_09 | Version::HTTP_10 => return Err(Refusal::HttpVersion),
            Version::HTTP_11 => true,
            // Also HTTP/3, whose extended CONNECT is the same (RFC 9220).
            _ => false,
        };
        if upgrade { check_upgrade(method, headers) } else { check_connect(method, protocol) }?;
        check_version(headers)?;
        let accept = if upgrade { Some(accept(headers)?) } else { None };
        subprotocol::check(headers)?;
        Ok(Self { accept })
    }

    /// Returns whether this is an extended CONNECT (HTTP/2) rather than an upgrade of HTTP/1.1.
    #[must_use]
    pub const fn is_extended_connect(&self) -> bool {
        self.accept.is_none()
    }

    /// Returns the `Sec-WebSocket-Accept` of the response; `None` for an extended CONNECT.
    #[must_use]
    pub const fn accept(&self) -> Option<&HeaderValue> {
        self.accept.as_ref()
    }

    /// Returns the status of the response: 101, or 200 for an extended CONNECT.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        if self.is_extended_connect() { StatusCode::OK } else { StatusCode::SWITCHING_PROTOCOLS }
    }

    /// Returns `Connection`, `Upgrade` and `Sec-WebSocket-Accept`, or nothing for an extended CONNECT.
    /// The caller adds the subprotocol, if one is chosen.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let headers = self.accept.clone().map(|accept| {
            [
                (header::CONNECTION, HeaderValue::from_static("Upgrade")),
                (header::UPGRADE, HeaderValue::from_static("websocket")),
                (header::SEC_WEBSOCKET_ACCEPT, accept),
            ]
        });
        headers.into_iter().flatten()
    }
}

fn check_upgrade(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    if method != Method::GET {
        return Err(Refusal::Method);
    }
    if !has_token(headers, &header::UPGRADE, "websocket") {
        return Err(Refusal::NoUpgrade);
    }
    if !has_token(headers, &header::CONNECTION, "upgrade") {
        return Err(Refusal::NoConnectionUpgrade);
    }
    Ok(())
}

fn check_connect(method: &Method, protocol: Option<&str>) -> Result<(), Refusal> {
    match protocol {
        Some(protocol) if method == Method::CONNECT => {
            if protocol.eq_ignore_ascii_case("websocket") {
                Ok(())
            } else {
                Err(Refusal::OtherProtocol)
            }
        }
        _ => Err(Refusal::NotExtendedConnect),
    }
}

fn check_version(headers: &HeaderMap) -> Result<(), Refusal> {
    match only(headers, &header::SEC_WEBSOCKET_VERSION) {
        Some(b"13") => Ok(()),
        Some(_) => Err(Refusal::OtherVersion),
        None => Err(Refusal::NoVersion),
    }
}

fn accept(headers: &HeaderMap) -> Result<HeaderValue, Refusal> {
    let key = only(headers, &header::SEC_WEBSOCKET_KEY).filter(|key| is_key(key)).ok_or(Refusal::Key)?;
    // Base64 is always a valid header value, so this cannot fail.
    HeaderValue::from_bytes(&accept_key(key)).map_err(|_| Refusal::Key)
}

#[cfg(test)]
mod tests;
