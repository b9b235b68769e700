//! Finds the bearer token of an upgrade. A token is never logged.

use std::{fmt, hint::black_box, sync::Arc};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts, Query},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header, request::Parts};

use switchboard_frame::handshake::offered_subprotocols;

use super::refusal;

/// The prefix of a subprotocol entry that carries a token.
const ENTRY: &str = "bearer.";

type Custom = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// The places where an upgrade's token is looked for.
///
/// They are searched in this order, and the first token wins: `Authorization: Bearer`, cookie,
/// query parameter, subprotocol entry `bearer.<token>`, custom.
///
/// Empty tokens are skipped: among several cookies or parameters of the same name, the first with
/// a token counts. Cookies and subprotocol entries are decoded as written by `encodeURIComponent`.
/// The query is decoded as form data: `+` is a space, and a `+` in the token must be sent as `%2B`.
///
/// ```
/// use switchboard::{TokenSources, WsRouter};
///
/// let ws = WsRouter::<()>::new().tokens(TokenSources::new().cookie("auth_token").query("token"));
/// # let _ = ws;
/// ```
#[derive(Clone)]
#[must_use]
pub struct TokenSources {
    header: bool,
    cookie: Option<String>,
    query: Option<String>,
    subprotocol: bool,
    custom: Option<Custom>,
}

/// The header, the query parameter `access_token`, and the subprotocol entry.
impl Default for TokenSources {
    fn default() -> Self {
        Self { header: true, cookie: None, query: Some("access_token".into()), subprotocol: true, custom: None }
    }
}

impl TokenSources {
    /// Searches the header, the query parameter `access_token`, and the subprotocol entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Searches nowhere, as a start for adding sources.
    pub fn none() -> Self {
        Self { header: false, cookie: None, query: None, subprotocol: false, custom: None }
    }

    /// Adds the header `Authorization: Bearer <token>`. Browsers cannot send it with a WebSocket.
    pub fn header(mut self) -> Self {
        self.header = true;
        self
    }

    /// Adds the cookie of this name. Only the [`OriginPolicy`](crate::OriginPolicy) protects it
    /// from being used by other sites.
    pub fn cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = Some(name.into());
        self
    }

    /// Adds the query parameter of this name. URLs end up in logs, so prefer the other sources.
    pub fn query(mut self, name: impl Into<String>) -> Self {
        self.query = Some(name.into());
        self
    }

    /// Removes the query parameter.
    pub fn without_query(mut self) -> Self {
        self.query = None;
        self
    }

    /// Adds the subprotocol entry `bearer.<token>`, which browsers can send:
    /// `new WebSocket(url, ["bearer." + token])`.
    pub fn subprotocol(mut self) -> Self {
        self.subprotocol = true;
        self
    }

    /// Adds a function that finds a token anywhere in the request.
    pub fn custom(mut self, find: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        self.custom = Some(Arc::new(find));
        self
    }

    fn find(&self, parts: &mut Parts) -> Option<String> {
        let found = self.in_header(parts).or_else(|| self.in_cookie(parts)).or_else(|| self.in_query(parts));
        if found.is_some() {
            return found;
        }
        if let Some(token) = self.in_subprotocol(parts) {
            return Some(token);
        }
        let custom = self.custom.as_ref()?;
        custom(parts).and_then(not_blank)
    }

    fn in_header(&self, parts: &Parts) -> Option<String> {
        if !self.header {
            return None;
        }
        parts.headers.get_all(header::AUTHORIZATION).iter().find_map(|value| {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            let token = token.trim();
            (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
        })
    }

    fn in_cookie(&self, parts: &Parts) -> Option<String> {
        let name = self.cookie.as_deref()?;
        let headers = parts.headers.get_all(header::COOKIE).iter();
        // Split before decoding: other cookies need not be UTF-8.
        let cookies = headers.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        let pairs = cookies.filter_map(|cookie| std::str::from_utf8(cookie).ok()?.split_once('='));
        // A name can occur several times: a browser sends one cookie per matching path and domain.
        let mut values = pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| unquote(value.trim()));
        values.find_map(|value| not_blank(decode(value)))
    }

    fn in_query(&self, parts: &Parts) -> Option<String> {
        let name = self.query.as_deref()?;
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).ok()?;
        pairs.into_iter().filter(|(key, _)| key == name).find_map(|(_, value)| not_blank(value))
    }

    /// Returns the entry and the token in it.
    fn in_subprotocol(&self, parts: &Parts) -> Option<String> {
        if self.subprotocol { entry(parts).map(|(_, token)| token) } else { None }
    }
}

/// Returns the first subprotocol entry with a token, and the token.
pub(super) fn entry(parts: &Parts) -> Option<(&str, String)> {
    let mut offered = offered_subprotocols(&parts.headers);
    offered.find_map(|entry| Some((entry, not_blank(decode(entry.strip_prefix(ENTRY)?))?)))
}

impl fmt::Debug for TokenSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSources")
            .field("header", &self.header)
            .field("cookie", &self.cookie)
            .field("query", &self.query)
            .field("subprotocol", &self.subprotocol)
            .finish_non_exhaustive()
    }
}

fn not_blank(token: String) -> Option<String> {
    (!token.trim().is_empty()).then_some(token)
}

/// Removes the quotation marks around a cookie's value.
fn unquote(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// Undoes `encodeURIComponent`. Invalid escapes are left as they are.
fn decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, after @ ..] => hex(*high).zip(hex(*low)).map(|(high, low)| (high << 4 | low, after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*byte, after));
        decoded.push(byte);
        rest = after;
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// An extractor for the token of an upgrade, for
/// [`authenticate`](crate::WsRouter::authenticate).
///
/// The token is looked for in the router's [`TokenSources`]. Without a token the upgrade is refused
/// with 401; extract `Option<BearerToken>` to accept such clients. `Debug` does not show the token.
/// Compare it with [`matches`](Self::matches), which takes constant time.
#[derive(Clone)]
pub struct BearerToken(String);

impl BearerToken {
    /// Returns whether the token equals this secret, in constant time: the time taken depends only
    /// on their lengths, not on where they differ.
    ///
    /// ```
    /// use axum::http::StatusCode;
    /// use switchboard::{BearerToken, WsRouter};
    ///
    /// let ws = WsRouter::<()>::new().authenticate(async |token: BearerToken| {
    ///     if token.matches("secret") { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
    /// });
    /// # let _ = ws;
    /// ```
    ///
    /// Tokens are not compared with `==`, which may stop at the first difference:
    ///
    /// ```compile_fail,E0369
    /// # fn is_same(token: &switchboard::BearerToken, other: &switchboard::BearerToken) -> bool {
    /// token == other
    /// # }
    /// ```
    #[must_use]
    pub fn matches(&self, secret: impl AsRef<[u8]>) -> bool {
        let (token, secret) = (self.0.as_bytes(), secret.as_ref());
        // `black_box` keeps the compiler from stopping at the first difference.
        let differing = token.iter().zip(secret).fold(0, |differing, (a, b)| black_box(differing | (a ^ b)));
        token.len() == secret.len() && differing == 0
    }

    /// Returns the token, to be verified or looked up.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the token as a `String`.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

/// The rejection of [`BearerToken`]: the upgrade has no token. Responds with 401.
#[derive(Debug)]
#[non_exhaustive]
pub struct BearerTokenRejection;

impl fmt::Display for BearerTokenRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this endpoint needs a token")
    }
}

impl std::error::Error for BearerTokenRejection {}

impl IntoResponse for BearerTokenRejection {
    fn into_response(self) -> Response {
        let mut response = refusal::text(StatusCode::UNAUTHORIZED, self.to_string());
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        response
    }
}

fn find(parts: &mut Parts) -> Option<BearerToken> {
    let sources = parts.extensions.get::<Arc<TokenSources>>().cloned().unwrap_or_default();
    sources.find(parts).map(BearerToken)
}

impl<S: Sync> FromRequestParts<S> for BearerToken {
    type Rejection = BearerTokenRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, BearerTokenRejection> {
        find(parts).ok_or(BearerTokenRejection)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for BearerToken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(find(parts))
    }
}

#[cfg(test)]
mod tests;
