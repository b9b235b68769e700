//! Which pages may connect.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header, request::Parts, uri::Authority};

use super::refusal;
use crate::{Hub, engine::cut};

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
    listed: Vec<String>,
    required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Any,
    SameOrigin,
    Listed,
}

impl OriginPolicy {
    /// The Origin's host and port must be those of the `Host` header, default ports left out or not.
    pub fn same_origin() -> Self {
        Self { rule: Rule::SameOrigin, listed: Vec::new(), required: false }
    }

    /// Only these: `https://chat.example.com`, with a port unless it is the scheme's default, and
    /// without a path. Checked when the router is mounted.
    pub fn list<I>(origins: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self { rule: Rule::Listed, listed: origins.into_iter().map(Into::into).collect(), required: false }
    }

    /// Any page. Only for endpoints that use no cookies and serve nothing private.
    pub fn any() -> Self {
        Self { rule: Rule::Any, listed: Vec::new(), required: false }
    }

    /// Allows one more Origin: the one under which a reverse proxy makes this server known.
    pub fn public_origin(mut self, origin: impl Into<String>) -> Self {
        self.listed.push(origin.into());
        self
    }

    /// Refuses clients that send no Origin.
    pub fn require_origin(mut self) -> Self {
        self.required = true;
        self
    }

    /// The first entry that is no origin.
    pub(crate) fn first_invalid(&self) -> Option<&str> {
        self.listed.iter().map(String::as_str).find(|entry| WebOrigin::parse(entry).is_none())
    }

    pub(super) fn check(&self, parts: &Parts, hub: &Hub) -> Result<(), Box<Response>> {
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
            let listed = self.listed.iter().any(|listed| WebOrigin::parse(listed).as_ref() == Some(&origin));
            listed || (self.rule == Rule::SameOrigin && host(parts).is_some_and(|host| origin.is_host(&host)))
        });
        if allowed { Ok(()) } else { Err(refuse(text, parts, "public_origin, list or any", hub)) }
    }
}

/// `scheme://host[:port]` and nothing else.
#[derive(PartialEq, Eq)]
struct WebOrigin {
    scheme: String,
    host: String,
    port: u16,
}

impl WebOrigin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default = default_port(&scheme)?;
        let authority: Authority = rest.parse().ok()?;
        // `user@host` is an authority, too, but no Origin has it.
        if rest.contains(['@', '*']) {
            return None;
        }
        Some(Self { port: port(&authority, default)?, host: authority.host().to_ascii_lowercase(), scheme })
    }

    /// The server may not know whether a proxy speaks TLS for it: a `Host` without a port has the
    /// Origin's default one.
    fn is_host(&self, host: &Authority) -> bool {
        let port = default_port(&self.scheme).and_then(|default| port(host, default));
        port == Some(self.port) && host.host().eq_ignore_ascii_case(&self.host)
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// `None` for a port that is no number, like `:` alone.
fn port(authority: &Authority, default: u16) -> Option<u16> {
    let after = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host);
    let after = after.rsplit_once(']').map_or(after, |(_, port)| port);
    if after.contains(':') { authority.port_u16() } else { Some(default) }
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
        let mut request = http::Request::builder().uri("/").header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        policy.check(&request.body(()).unwrap().into_parts().0, &Hub::new()).is_ok()
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
}
