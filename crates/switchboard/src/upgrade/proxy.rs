//! The client's address and scheme behind trusted proxies.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` headers are trusted.
///
/// If the peer is a trusted proxy, the client's address is the last one in `X-Forwarded-For` that
/// is not itself a trusted proxy; entries before it may be forged by the client. The client's
/// scheme, for [`OriginPolicy::same_origin`](crate::OriginPolicy::same_origin), is taken from
/// `X-Forwarded-Proto`.
///
/// ```
/// use switchboard::TrustedProxies;
///
/// let proxies = TrustedProxies::new(["10.0.0.0/8", "192.0.2.7"]).unwrap();
/// # let _ = switchboard::WsRouter::<()>::new().trusted_proxies(proxies);
/// ```
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// The error of [`TrustedProxies::new`]: a text is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidNetwork(String);

impl std::fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is neither an address nor a network such as `10.0.0.0/8`", self.0)
    }
}

impl std::error::Error for InvalidNetwork {}

impl TrustedProxies {
    /// Trusts proxies at these addresses and networks.
    ///
    /// # Errors
    ///
    /// Returns an error if one of them is neither an address nor a network.
    pub fn new<I>(networks: I) -> Result<Self, InvalidNetwork>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let parse = |text: I::Item| {
            let text = text.as_ref();
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| InvalidNetwork(text.to_owned()))
        };
        networks.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Trusts no proxy: the peer is the client.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.contains(&ip))
    }

    /// Returns the client's address.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        let mut client = peer;
        for line in lines.into_iter().rev() {
            for entry in line.as_bytes().rsplit(|byte| *byte == b',') {
                // No trusted proxy wrote this, so it cannot be believed.
                let Some(ip) = address(entry) else { return client };
                client = ip;
                if !self.contains(ip) {
                    return client;
                }
            }
        }
        client
    }

    /// Returns the scheme that the client used, `https` or `http`, if a trusted proxy reports it.
    pub(crate) fn scheme(&self, peer: IpAddr, headers: &HeaderMap) -> Option<&'static str> {
        if !self.contains(peer) {
            return None;
        }
        // The first is what the client used. A client could forge it, but it is only compared with
        // the Origin of pages, and pages cannot set this header.
        let scheme = headers.get("x-forwarded-proto")?.to_str().ok()?.split(',').next()?.trim();
        match scheme.to_ascii_lowercase().as_str() {
            "https" | "wss" => Some("https"),
            "http" | "ws" => Some("http"),
            _ => None,
        }
    }
}

/// Parses an address, with or without a port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.split_once(']')).map_or(text, |(ip, _)| ip);
    bare.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|addr| addr.ip()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = TrustedProxies::new(["10.0.0.0/8", "192.0.2.7"]).unwrap();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_say_counts() {
        // The peer is no trusted proxy.
        assert_eq!(client("203.0.113.9", &["1.1.1.1"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1"]), "1.1.1.1");
        // The client's own entries come first.
        assert_eq!(client("10.0.0.1", &["9.9.9.9, 1.1.1.1"]), "1.1.1.1");
        assert_eq!(client("10.0.0.1", &["9.9.9.9", "1.1.1.1, 192.0.2.7"]), "1.1.1.1");
        assert_eq!(client("10.0.0.1", &["9.9.9.9, rubbish, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1:80"]), "1.1.1.1");
        assert_eq!(client("::ffff:10.0.0.1", &["1.1.1.1"]), "1.1.1.1");
    }

    #[test]
    fn mistakes_are_named() {
        let error = TrustedProxies::new(["10.0.0.0/8", "proxy"]).unwrap_err();
        assert!(error.to_string().starts_with("`proxy` is neither"));
    }
}
