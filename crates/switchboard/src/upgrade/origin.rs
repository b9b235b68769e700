//! The Origin check: which pages may connect.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header, request::Parts, uri::Authority};

use super::refusal;
use crate::{Hub, guard::cut};

/// The `Origin` headers that an upgrade may have.
///
/// A browser sends cookies with a WebSocket to any host, no matter which page opens it. A server
/// that does not check the Origin therefore lets any page act as its users. By default the page
/// must come from the host that it connects to. Clients that send no Origin, such as native apps,
/// may connect.
///
/// ```
/// use switchboard::{OriginPolicy, WsRouter};
///
/// // Behind a reverse proxy that changes the `Host` header:
/// let origin = OriginPolicy::same_origin().public_origin("https://chat.example.com");
/// let ws = WsRouter::<()>::new().origin(origin);
/// # let _ = ws;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct OriginPolicy {
    rule: OriginRule,
    listed: Vec<Listed>,
    required: bool,
    https: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OriginRule {
    Any,
    SameOrigin,
    Listed,
}

/// An entry of the list: its text, and the origin it denotes if it is valid.
#[derive(Debug, Clone)]
struct Listed {
    text: String,
    origin: Option<WebOrigin>,
}

impl Listed {
    fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { origin: WebOrigin::parse(&text), text }
    }
}

impl OriginPolicy {
    fn new(rule: OriginRule) -> Self {
        Self { rule, listed: Vec::new(), required: false, https: false }
    }

    /// Requires that the Origin's host and port match the `Host` header. Default ports may be
    /// omitted.
    ///
    /// The scheme must match as well if the server's is known: from
    /// [`public_origin`](Self::public_origin), [`require_https`](Self::require_https), the
    /// `X-Forwarded-Proto` of a [trusted proxy](crate::WsRouter::trusted_proxies), or an HTTP/2
    /// request with the scheme `https`. Otherwise both `http` and `https` pages may connect.
    pub fn same_origin() -> Self {
        Self::new(OriginRule::SameOrigin)
    }

    /// Allows only these origins.
    ///
    /// An entry is written like `https://chat.example.com`: with a port unless it is the scheme's
    /// default, and without a path. Webviews and extensions have schemes of their own:
    /// `capacitor://localhost`, `chrome-extension://<id>`, or `file://`. The entry `null` allows
    /// every page with an opaque origin, such as local files and sandboxed frames of any site.
    ///
    /// The entries are checked when the router is mounted.
    ///
    /// ```
    /// use switchboard::{OriginPolicy, WsRouter};
    ///
    /// let allowed = ["https://chat.example.com", "capacitor://localhost", "tauri://localhost"];
    /// let ws = WsRouter::<()>::new().origin(OriginPolicy::list(allowed));
    /// # let _ = ws;
    /// ```
    pub fn list<I>(origins: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self { listed: origins.into_iter().map(Listed::new).collect(), ..Self::new(OriginRule::Listed) }
    }

    /// Allows any page. Use it only for endpoints that use no cookies and serve nothing private.
    pub fn any() -> Self {
        Self::new(OriginRule::Any)
    }

    /// Allows one more Origin: the public one of a server behind a reverse proxy.
    ///
    /// Pages of its host may then connect with its scheme only: with `https://chat.example.com`
    /// set, a page of `http://chat.example.com` may not connect.
    pub fn public_origin(mut self, origin: impl Into<String>) -> Self {
        self.listed.push(Listed::new(origin));
        self
    }

    /// Refuses pages of the same host that were not loaded over TLS, for servers reached over TLS
    /// only.
    pub fn require_https(mut self) -> Self {
        self.https = true;
        self
    }

    /// Refuses clients that send no Origin.
    pub fn require_origin(mut self) -> Self {
        self.required = true;
        self
    }

    /// Returns the first entry that is not a valid origin.
    pub(crate) fn first_invalid(&self) -> Option<&str> {
        self.listed.iter().find(|listed| listed.origin.is_none()).map(|listed| listed.text.as_str())
    }

    /// Checks the Origin. `forwarded` is the client's scheme as reported by a trusted proxy.
    pub(super) fn check(&self, parts: &Parts, forwarded: Option<&str>, hub: &Hub) -> Result<(), Box<Response>> {
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return if self.required { Err(refuse("(none)", parts, "require_origin", hub)) } else { Ok(()) };
        };
        if self.rule == OriginRule::Any {
            return Ok(());
        }
        let text = origin.to_str().unwrap_or("(not text)");
        let parsed = if origins.next().is_none() { WebOrigin::parse(text) } else { None };
        let allowed = parsed.is_some_and(|origin| {
            self.listed().any(|listed| *listed == origin)
                || (self.rule == OriginRule::SameOrigin && self.is_same(&origin, parts, forwarded))
        });
        if allowed { Ok(()) } else { Err(refuse(text, parts, "public_origin, list or any", hub)) }
    }

    fn listed(&self) -> impl Iterator<Item = &WebOrigin> {
        self.listed.iter().filter_map(|listed| listed.origin.as_ref())
    }

    fn is_same(&self, origin: &WebOrigin, parts: &Parts, forwarded: Option<&str>) -> bool {
        let Some(host) = host(parts) else { return false };
        let https = self.https || parts.uri.scheme_str() == Some("https");
        // The origin itself is not listed, or it would be allowed already: here its host is listed
        // with another scheme.
        let has_other_scheme = self.listed().any(|listed| listed.is_host(&host));
        let scheme = if https { Some("https") } else { forwarded };
        origin.is_host(&host) && !has_other_scheme && scheme.is_none_or(|scheme| origin.has_scheme(scheme))
    }
}

/// `scheme://host[:port]`, or `file://`, which has no host.
#[derive(Debug, Clone, PartialEq, Eq)]
enum WebOrigin {
    /// The opaque origin, sent as `null`.
    Null,
    Site {
        scheme: String,
        host: String,
        /// Explicit, or the scheme's default; `None` if it has neither.
        port: Option<u16>,
    },
}

impl WebOrigin {
    fn parse(text: &str) -> Option<Self> {
        if text == "null" {
            return Some(Self::Null);
        }
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.'));
        // `user@host` parses as an authority, but is never an Origin.
        if !is_scheme || rest.contains(['@', '*']) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        if scheme == "file" {
            return rest.is_empty().then(|| Self::Site { scheme, host: String::new(), port: None });
        }
        let authority: Authority = rest.parse().ok().filter(|authority: &Authority| !authority.host().is_empty())?;
        let default = default_port(&scheme);
        let port = port(&authority, default)?;
        // Hosts are known to be case-insensitive only for `http` and `https`.
        let host = authority.host();
        let host = if default.is_some() { host.to_ascii_lowercase() } else { host.to_owned() };
        Some(Self::Site { scheme, host, port })
    }

    /// Whether this origin has the host and port of a `Host` header. One without a port means the
    /// default of this origin's scheme: the server's own scheme is unknown behind a TLS proxy.
    fn is_host(&self, authority: &Authority) -> bool {
        let Self::Site { scheme, host, port: own } = self else { return false };
        let Some(default) = default_port(scheme) else { return false };
        port(authority, Some(default)) == Some(*own) && authority.host().eq_ignore_ascii_case(host)
    }

    fn has_scheme(&self, expected: &str) -> bool {
        matches!(self, Self::Site { scheme, .. } if scheme == expected)
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Returns the authority's port or the default, or `None` if its port is not a number, as in `a:`.
fn port(authority: &Authority, default: Option<u16>) -> Option<Option<u16>> {
    let after = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host);
    let after = after.rsplit_once(']').map_or(after, |(_, port)| port);
    if after.contains(':') { authority.port_u16().map(Some) } else { Some(default) }
}

/// Returns the `Host` header, or the `:authority` of HTTP/2.
fn host(parts: &Parts) -> Option<Authority> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok()?.parse().ok(),
        (None, _) => parts.uri.authority().cloned(),
        _ => None,
    }
}

fn refuse(origin: &str, parts: &Parts, setting: &str, hub: &Hub) -> Box<Response> {
    let host = parts.headers.get(header::HOST).map(HeaderValue::to_str).and_then(Result::ok);
    let host = host.or_else(|| parts.uri.authority().map(Authority::as_str)).unwrap_or("(none)");
    let text = format!("the Origin {origin} may not connect to {host}: see `OriginPolicy` ({setting})");
    if let Some(suppressed) = hub.may_log() {
        let (origin, host) = (cut(origin), cut(host));
        tracing::warn!(origin, host, suppressed, "refused an upgrade by its Origin: see `OriginPolicy` ({setting})");
    }
    Box::new(refusal::text(StatusCode::FORBIDDEN, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(policy: &OriginPolicy, host: &str, origin: Option<&str>) -> bool {
        forwarded(policy, host, origin, None)
    }

    fn forwarded(policy: &OriginPolicy, host: &str, origin: Option<&str>, scheme: Option<&str>) -> bool {
        let mut request = http::Request::builder().uri("/").header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        policy.check(&request.body(()).unwrap().into_parts().0, scheme, &Hub::new()).is_ok()
    }

    #[test]
    fn the_same_origin_is_the_default() {
        let policy = OriginPolicy::same_origin();
        for (host, origin) in [
            ("a.example", "https://a.example"),
            ("a.example", "http://A.EXAMPLE:80"),
            ("a.example:443", "https://a.example"),
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("[::1]:3000", "http://[::1]:3000"),
        ] {
            assert!(allowed(&policy, host, Some(origin)), "{host} {origin}");
        }
        for (host, origin) in [
            ("a.example", "https://b.example"),
            ("a.example", "https://a.example.b.example"),
            ("a.example", "https://xa.example"),
            ("a.example", "https://a.example:8443"),
            ("a.example:8080", "https://a.example"),
            ("a.example", "null"),
            ("a.example", "file://"),
            ("a.example", "file://a.example"),
            ("a.example", "https://a.example:"),
            ("a.example", "https://x@a.example"),
            ("a.example", "https://*.example"),
            ("a.example", "https://a.example/path"),
            ("a.example", "a.example"),
            ("a.example", ""),
        ] {
            assert!(!allowed(&policy, host, Some(origin)), "{host} {origin}");
        }
        assert!(allowed(&policy, "a.example", None));
        assert!(!allowed(&policy.require_origin(), "a.example", None));
    }

    #[test]
    fn origins_can_be_listed_or_all_allowed() {
        let listed = OriginPolicy::list(["https://a.example"]);
        assert!(allowed(&listed, "h", Some("https://a.example:443")));
        assert!(!allowed(&listed, "a.example", Some("http://a.example")));
        assert!(!allowed(&listed, "h", Some("http://h")));
        let proxied = OriginPolicy::same_origin().public_origin("https://a.example");
        assert!(allowed(&proxied, "h", Some("https://a.example")) && allowed(&proxied, "h", Some("http://h")));
        assert!(allowed(&OriginPolicy::any(), "h", Some("null")));
    }

    #[test]
    fn any_scheme_can_be_listed_and_is_compared_exactly() {
        let listed = [
            "capacitor://localhost",
            "tauri://localhost",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "moz-extension://2f5e4c1a-9b1d-4e52-8f3a-0d8f4a1b2c3d",
            "app://-",
            "ionic://localhost:8080",
            "vscode-webview://a1b2",
            "http://[::1]:3000",
            "file://",
            "null",
        ];
        let policy = OriginPolicy::list(listed);
        assert_eq!(policy.first_invalid(), None);
        for origin in listed {
            assert!(allowed(&policy, "h", Some(origin)), "{origin}");
        }
        for origin in [
            "capacitor://localhost:80",
            "capacitor://Localhost",
            "ionic://localhost",
            "ionic://localhost:8081",
            "http://localhost",
            "app://x",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnoq",
            "Null",
            "file:///index.html",
            "file://localhost",
            "",
        ] {
            assert!(!allowed(&policy, "h", Some(origin)), "{origin}");
        }
        // The same host does not suffice with another scheme.
        assert!(!allowed(&OriginPolicy::same_origin(), "localhost", Some("capacitor://localhost")));
        for wrong in [
            "",
            "*",
            "https://",
            "https:a.example",
            "a.example",
            "https://a.example/",
            "https://a.example:",
            "https://a.example:99999",
            "https://*.example",
            "https://u@a.example",
            "1a://b",
            "https://a b",
            "://a",
            "https://a.example?x",
            "capacitor://localhost/",
            "https://bücher.example",
            " https://a.example",
            "NULL",
            "file:///",
            "file://localhost",
            "capacitor://",
        ] {
            assert_eq!(OriginPolicy::list(["https://a.example", wrong]).first_invalid(), Some(wrong));
            assert_eq!(OriginPolicy::same_origin().public_origin(wrong).first_invalid(), Some(wrong));
        }
    }

    #[test]
    fn a_page_must_have_the_servers_scheme_if_that_is_known() {
        let (http, https) = (Some("http://a.example"), Some("https://a.example"));
        let same = OriginPolicy::same_origin();
        for (policy, scheme, expected) in [
            (&same, None, (true, true)),
            (&same, Some("https"), (false, true)),
            (&same, Some("http"), (true, false)),
            (&same.clone().require_https(), None, (false, true)),
            (&same.clone().require_https(), Some("http"), (false, true)),
            (&same.clone().public_origin("https://a.example"), None, (false, true)),
            (&same.clone().public_origin("http://a.example"), None, (true, false)),
            (&same.clone().public_origin("https://b.example"), None, (true, true)),
            (&OriginPolicy::list(["http://a.example"]).require_https(), Some("https"), (true, false)),
        ] {
            let is = (forwarded(policy, "a.example", http, scheme), forwarded(policy, "a.example", https, scheme));
            assert_eq!(is, expected, "{policy:?} {scheme:?}");
        }
        let request = http::Request::get("https://a.example/ws").header("origin", "http://a.example");
        assert!(same.check(&request.body(()).unwrap().into_parts().0, None, &Hub::new()).is_err());
    }
}
