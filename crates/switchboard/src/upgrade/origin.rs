//! Which pages may connect.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header, request::Parts, uri::Authority};

use super::refusal;
use crate::{Hub, guard::cut};

/// Which `Origin` an upgrade may have.
///
/// A browser sends cookies with a WebSocket to any host, whatever page opens it, so a server that
/// does not look at the Origin lets every page act for its users. By default the page must come
/// from the host that it connects to; clients that are no browsers send no Origin and may connect.
///
/// ```
/// use switchboard::{OriginPolicy, WsRouter};
///
/// // Behind a reverse proxy that changes the `Host` header:
/// let ws = WsRouter::<()>::new().origin(OriginPolicy::same_origin().public_origin("https://chat.example.com"));
/// # let _ = ws;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct OriginPolicy {
    rule: Rule,
    listed: Vec<Listed>,
    required: bool,
    https: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Any,
    SameOrigin,
    Listed,
}

/// An entry as it was written, and as it is compared if it is an origin.
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
    fn new(rule: Rule) -> Self {
        Self { rule, listed: Vec::new(), required: false, https: false }
    }

    /// The Origin's host and port must be those of the `Host` header, default ports left out or not; and
    /// its scheme must be this server's, where that is known: from
    /// [`public_origin`](Self::public_origin), [`require_https`](Self::require_https), the
    /// `X-Forwarded-Proto` of a [trusted proxy](crate::WsRouter::trusted_proxies), or a request of HTTP/2
    /// that says `https`. Else a page of the same host may have come over either.
    pub fn same_origin() -> Self {
        Self::new(Rule::SameOrigin)
    }

    /// Only these: `https://chat.example.com`, with a port unless it is the scheme's default, and
    /// without a path. Webviews and extensions have schemes of their own: `capacitor://localhost`,
    /// `chrome-extension://<id>`, and `file://` where a webview names its files so. `null` allows all
    /// that have no origin to tell, such as files in a browser and sandboxed frames of any page. Checked
    /// when the router is mounted.
    ///
    /// ```
    /// use switchboard::{OriginPolicy, WsRouter};
    ///
    /// let origins = OriginPolicy::list(["https://chat.example.com", "capacitor://localhost", "tauri://localhost"]);
    /// let ws = WsRouter::<()>::new().origin(origins);
    /// # let _ = ws;
    /// ```
    pub fn list<I>(origins: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self { listed: origins.into_iter().map(Listed::new).collect(), ..Self::new(Rule::Listed) }
    }

    /// Any page. Only for endpoints that use no cookies and serve nothing private.
    pub fn any() -> Self {
        Self::new(Rule::Any)
    }

    /// Allows one more Origin: the one under which a reverse proxy makes this server known. Its host is
    /// then reached under its scheme only: beside `https://chat.example.com`, a page of
    /// `http://chat.example.com` may not connect.
    pub fn public_origin(mut self, origin: impl Into<String>) -> Self {
        self.listed.push(Listed::new(origin));
        self
    }

    /// Says that this server is reached over TLS only: pages of the same host that were loaded without it
    /// may not connect.
    pub fn require_https(mut self) -> Self {
        self.https = true;
        self
    }

    /// Refuses clients that send no Origin.
    pub fn require_origin(mut self) -> Self {
        self.required = true;
        self
    }

    /// The first entry that is no origin.
    pub(crate) fn first_invalid(&self) -> Option<&str> {
        self.listed.iter().find(|listed| listed.origin.is_none()).map(|listed| listed.text.as_str())
    }

    /// `forwarded`: the scheme of which a trusted proxy says that the client uses it.
    pub(super) fn check(&self, parts: &Parts, forwarded: Option<&str>, hub: &Hub) -> Result<(), Box<Response>> {
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return if self.required { Err(refuse("(none)", parts, "require_origin", hub)) } else { Ok(()) };
        };
        if self.rule == Rule::Any {
            return Ok(());
        }
        let text = origin.to_str().unwrap_or("(not text)");
        let parsed = if origins.next().is_none() { WebOrigin::parse(text) } else { None };
        let allowed = parsed.is_some_and(|origin| {
            self.listed().any(|listed| *listed == origin)
                || (self.rule == Rule::SameOrigin && self.is_same(&origin, parts, forwarded))
        });
        if allowed { Ok(()) } else { Err(refuse(text, parts, "public_origin, list or any", hub)) }
    }

    fn listed(&self) -> impl Iterator<Item = &WebOrigin> {
        self.listed.iter().filter_map(|listed| listed.origin.as_ref())
    }

    fn is_same(&self, origin: &WebOrigin, parts: &Parts, forwarded: Option<&str>) -> bool {
        let Some(host) = host(parts) else { return false };
        let https = self.https || parts.uri.scheme_str() == Some("https");
        // That it is listed itself was looked at before.
        let listed_otherwise = self.listed().any(|listed| listed.is_host(&host));
        let scheme = if https { Some("https") } else { forwarded };
        origin.is_host(&host) && !listed_otherwise && scheme.is_none_or(|scheme| origin.has_scheme(scheme))
    }
}

/// `scheme://host[:port]`, or `file://`, which has no host.
#[derive(Debug, Clone, PartialEq, Eq)]
enum WebOrigin {
    /// Of what has none to tell.
    Null,
    Site {
        scheme: String,
        host: String,
        /// The scheme's default, where it has one and no other is said.
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
        // `user@host` is an authority, too, but no Origin has it.
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
        // Only these schemes are known to have hosts whose case does not matter.
        let host = authority.host();
        let host = if default.is_some() { host.to_ascii_lowercase() } else { host.to_owned() };
        Some(Self::Site { scheme, host, port })
    }

    /// A `Host` without a port has the Origin's default one, for what speaks TLS may be a proxy.
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

/// The authority's port or the default; `None` for one that is no number, like `:` alone.
fn port(authority: &Authority, default: Option<u16>) -> Option<Option<u16>> {
    let after = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host);
    let after = after.rsplit_once(']').map_or(after, |(_, port)| port);
    if after.contains(':') { authority.port_u16().map(Some) } else { Some(default) }
}

/// The `Host` header, or HTTP/2's `:authority`.
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
    fn protocol_4_same_origin_is_the_default() {
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
    fn protocol_4_lists_and_any() {
        let listed = OriginPolicy::list(["https://a.example"]);
        assert!(allowed(&listed, "h", Some("https://a.example:443")));
        assert!(!allowed(&listed, "a.example", Some("http://a.example")));
        assert!(!allowed(&listed, "h", Some("http://h")));
        let proxied = OriginPolicy::same_origin().public_origin("https://a.example");
        assert!(allowed(&proxied, "h", Some("https://a.example")) && allowed(&proxied, "h", Some("http://h")));
        assert!(allowed(&OriginPolicy::any(), "h", Some("null")));
    }

    #[test]
    fn kind_f13_any_scheme_can_be_listed_and_is_compared_exactly() {
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
        // Not by its host, whatever that is.
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
    fn attack_b16_a_page_has_the_servers_scheme_where_that_is_known() {
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
