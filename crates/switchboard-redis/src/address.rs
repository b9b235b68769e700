//! Where a server is, and as whom to log in.

use std::{borrow::Cow, fmt};

use switchboard_core::broker::{BrokerError, BrokerErrorKind};
use url::{Host, Url};

const DEFAULT_PORT: u16 = 6379;

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// User and password.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// Without the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Reads `redis://user:password@host:port`, or `rediss://…` for TLS.
pub(crate) fn parse_url(text: &str) -> Result<(Address, Credentials), BrokerError> {
    // Without the text, which may contain a password.
    let rejected = |detail: &str| {
        let detail =
            format!("the URL {detail}; expected is `redis://user:password@host:port`, or `rediss://…` for TLS");
        BrokerError::new(BrokerErrorKind::Rejected, detail)
    };
    let url = Url::parse(text).map_err(|error| rejected(&format!("cannot be read ({error})")))?;
    let tls = match url.scheme() {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        other => return Err(rejected(&format!("has the scheme `{other}`"))),
    };
    if tls && cfg!(not(feature = "tls")) {
        return Err(rejected("asks for TLS, which needs the feature `tls` of switchboard-redis"));
    }
    let host = match url.host() {
        Some(Host::Ipv6(ip)) => ip.to_string(),
        Some(host) => host.to_string(),
        None => return Err(rejected("names no host")),
    };
    let host = decode(&host).ok_or_else(|| rejected("has a host that is not UTF-8"))?.into_owned();
    let undecodable = || rejected("has a user or password that is not UTF-8 after percent-decoding");
    let user = Some(url.username()).filter(|user| !user.is_empty());
    let user = user.map(|user| decode(user).ok_or_else(undecodable)).transpose()?.map(Cow::into_owned);
    let password = url.password().map(|text| decode(text).ok_or_else(undecodable)).transpose()?.map(Cow::into_owned);
    let address = Address { host, port: url.port().unwrap_or(DEFAULT_PORT), tls };
    Ok((address, Credentials { user, password }))
}

/// Replaces `%XX`. What is no such sequence stays.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).filter(|hex| byte == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let hex = hex.and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_defaults() {
        let (address, credentials) = parse_url("redis://localhost").unwrap();
        assert_eq!(address.to_string(), "localhost:6379");
        assert_eq!(credentials, Credentials::default());
        let (address, _) = parse_url("valkey://[::1]:7/3").unwrap();
        assert_eq!(address.to_string(), "[::1]:7");
    }

    #[test]
    fn users_and_passwords_are_decoded() {
        let (_, credentials) = parse_url("redis://ann:p%40ss%3Aw%2Frd%25@h:1").unwrap();
        assert_eq!(credentials.user.as_deref(), Some("ann"));
        assert_eq!(credentials.password.as_deref(), Some("p@ss:w/rd%"));
        let (_, credentials) = parse_url("redis://:secret@h").unwrap();
        assert_eq!((credentials.user, credentials.password.as_deref()), (None, Some("secret")));
    }

    #[test]
    fn wrong_urls_are_refused_without_repeating_the_password() {
        for url in ["", "localhost:6379", "http://:secret@h", "redis://", "unix:///secret", "redis://:secret@h:x"] {
            let error = parse_url(url).unwrap_err().to_string();
            assert!(error.contains("redis://user:password@host:port") && !error.contains("secret"), "{error}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn tls_without_the_feature_is_refused() {
        assert!(parse_url("rediss://h").unwrap_err().to_string().contains("feature `tls`"));
    }

    #[test]
    fn passwords_are_not_printed() {
        let (_, credentials) = parse_url("redis://ann:secret@h").unwrap();
        assert!(!format!("{credentials:?}").contains("secret"));
    }
}
