//! Finding the bearer token of an upgrade. A token is never logged.

use std::{fmt, sync::Arc};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts, Query},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header, request::Parts};

use switchboard_frame::handshake::offered_subprotocols;

use super::refusal;

/// The subprotocol entry that carries a token starts with this.
const ENTRY: &str = "bearer.";

type Custom = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// Where a token may come from. Looked at in this order, the first found wins:
/// `Authorization: Bearer`, cookie, query parameter, subprotocol entry `bearer.<token>`, custom.
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

/// Header, the query parameter `access_token`, and subprotocol.
impl Default for TokenSources {
    fn default() -> Self {
        Self { header: true, cookie: None, query: Some("access_token".into()), subprotocol: true, custom: None }
    }
}

impl TokenSources {
    /// Header, the query parameter `access_token`, and subprotocol.
    pub fn new() -> Self {
        Self::default()
    }

    /// No source at all, to add some.
    pub fn none() -> Self {
        Self { header: false, cookie: None, query: None, subprotocol: false, custom: None }
    }

    /// `Authorization: Bearer <token>`. Browsers cannot send it with a WebSocket.
    pub fn header(mut self) -> Self {
        self.header = true;
        self
    }

    /// A cookie of this name. The Origin rule is what protects it from other pages.
    pub fn cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = Some(name.into());
        self
    }

    /// A query parameter of this name. URLs end up in logs: prefer the others.
    pub fn query(mut self, name: impl Into<String>) -> Self {
        self.query = Some(name.into());
        self
    }

    /// No query parameter.
    pub fn without_query(mut self) -> Self {
        self.query = None;
        self
    }

    /// A subprotocol entry `bearer.<token>`, the way for browsers:
    /// `new WebSocket(url, ["bearer." + token])`.
    pub fn subprotocol(mut self) -> Self {
        self.subprotocol = true;
        self
    }

    /// Anything else of the request.
    pub fn custom(mut self, find: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        self.custom = Some(Arc::new(find));
        self
    }

    fn find(&self, parts: &mut Parts) -> Option<String> {
        let found = self.in_header(parts).or_else(|| self.in_cookie(parts)).or_else(|| self.in_query(parts));
        if found.is_some() {
            return found;
        }
        if let Some(entry) = self.in_subprotocol(parts) {
            let token = entry[ENTRY.len()..].to_owned();
            parts.extensions.insert(TokenEntry(entry));
            return Some(token);
        }
        let custom = self.custom.as_ref()?;
        custom(parts).filter(|token| !token.is_empty())
    }

    fn in_header(&self, parts: &Parts) -> Option<String> {
        if !self.header {
            return None;
        }
        let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
    }

    fn in_cookie(&self, parts: &Parts) -> Option<String> {
        let name = self.cookie.as_deref()?;
        let headers = parts.headers.get_all(header::COOKIE).iter();
        // Each cookie by itself: another one may hold anything.
        let cookies = headers.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        let mut pairs = cookies.filter_map(|cookie| std::str::from_utf8(cookie).ok()?.split_once('='));
        let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
        let value = value.trim().trim_matches('"');
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn in_query(&self, parts: &Parts) -> Option<String> {
        let name = self.query.as_deref()?;
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).ok()?;
        pairs.into_iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value)
    }

    fn in_subprotocol(&self, parts: &Parts) -> Option<String> {
        if !self.subprotocol {
            return None;
        }
        let mut offered = offered_subprotocols(&parts.headers);
        offered.find(|entry| entry.len() > ENTRY.len() && entry.starts_with(ENTRY)).map(str::to_owned)
    }
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

/// The subprotocol entry that the token was taken from: to be echoed.
#[derive(Clone)]
pub(super) struct TokenEntry(pub(super) String);

/// The token of an upgrade, found where [`TokenSources`] says: an axum extractor for
/// [`authenticate`](crate::WsRouter::authenticate). `Option<BearerToken>` lets clients without one
/// in. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(String);

impl BearerToken {
    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The token.
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

/// There is no token: 401.
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
