//! The settings of a broker, and the builder that makes them.

use std::{fmt, time::Duration};

use async_nats::ServerAddr;
use switchboard_core::{
    adapter::Room,
    broker::{BrokerError, BrokerErrorKind},
};

use crate::{NatsBroker, address::parse_url, login::Login};

/// Settings that have been checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) servers: Vec<ServerAddr>,
    pub(crate) login: Login,
    #[cfg(feature = "tls")]
    pub(crate) tls: crate::tls::Tls,
    pub(crate) prefix: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) ping_interval: Duration,
    pub(crate) min_backoff: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) max_exact_subscriptions: usize,
    pub(crate) max_queued_operations: usize,
    pub(crate) max_queued_bytes: usize,
    pub(crate) max_waiting_messages: usize,
    pub(crate) max_waiting_bytes: usize,
}

/// Builds a [`NatsBroker`]. Made by [`NatsBroker::builder`].
///
/// | setting | default |
/// |---|---|
/// | [`prefix`](Self::prefix) | `sb` |
/// | [`connect_timeout`](Self::connect_timeout) | 5 s |
/// | [`response_timeout`](Self::response_timeout) | 3 s |
/// | [`ping_interval`](Self::ping_interval) | 2 s |
/// | [`backoff`](Self::backoff) | 50 ms to 3 s |
/// | [`max_exact_subscriptions`](Self::max_exact_subscriptions) | 4096 |
/// | [`max_queued_operations`](Self::max_queued_operations) | 16 384 |
/// | [`max_queued_bytes`](Self::max_queued_bytes) | 64 MiB |
/// | [`max_waiting_messages`](Self::max_waiting_messages) | 65 536 |
/// | [`max_waiting_bytes`](Self::max_waiting_bytes) | 64 MiB |
///
/// A node logs in by user and password in the URL, by `token`, and with the feature `nkeys` by `nkey`, `credentials` or
/// `credentials_file`; only one of these can be set. With the feature `tls`, `client_certificate` may come in addition.
///
/// ```
/// use std::time::Duration;
///
/// use switchboard_nats::NatsBroker;
///
/// let broker = NatsBroker::builder("nats://chat:secret@nats-1:4222")
///     .url("nats://nats-2:4222")
///     .prefix("chat")
///     .response_timeout(Duration::from_secs(2))
///     .build()?;
/// # Ok::<(), switchboard_core::broker::BrokerError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct NatsBrokerBuilder {
    urls: Vec<String>,
    token: Option<String>,
    #[cfg(feature = "nkeys")]
    keys: Keys,
    #[cfg(feature = "tls")]
    root_certificates: Vec<u8>,
    #[cfg(feature = "tls")]
    client_certificate: Option<(Vec<u8>, Vec<u8>)>,
    prefix: String,
    connect_timeout: Duration,
    response_timeout: Duration,
    ping_interval: Duration,
    backoff: (Duration, Duration),
    max_exact_subscriptions: usize,
    max_queued_operations: usize,
    max_queued_bytes: usize,
    max_waiting_messages: usize,
    max_waiting_bytes: usize,
}

/// Logins by keys that were set.
#[cfg(feature = "nkeys")]
#[derive(Clone, Default)]
struct Keys {
    nkey: Option<String>,
    credentials: Option<String>,
    credentials_file: Option<std::path::PathBuf>,
}

/// Without URLs, which may contain passwords.
impl fmt::Debug for NatsBrokerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBrokerBuilder").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl NatsBrokerBuilder {
    pub(crate) fn new(url: String) -> Self {
        Self {
            urls: vec![url],
            token: None,
            #[cfg(feature = "nkeys")]
            keys: Keys::default(),
            #[cfg(feature = "tls")]
            root_certificates: Vec::new(),
            #[cfg(feature = "tls")]
            client_certificate: None,
            prefix: "sb".to_owned(),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(3),
            ping_interval: Duration::from_secs(2),
            backoff: (Duration::from_millis(50), Duration::from_secs(3)),
            max_exact_subscriptions: 4096,
            max_queued_operations: 16_384,
            max_queued_bytes: 64 << 20,
            max_waiting_messages: 65_536,
            max_waiting_bytes: 64 << 20,
        }
    }

    /// Adds the URL of another server of the same NATS cluster. User and password are those of the first URL.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// Logs in with this token instead of user and password.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Logs in with this key, by its seed (`SU…`). The server knows the public half (`nkey: U…`).
    #[cfg(feature = "nkeys")]
    pub fn nkey(mut self, seed: impl Into<String>) -> Self {
        self.keys.nkey = Some(seed.into());
        self
    }

    /// Logs in with the text of a `.creds` file, from a secret store for example.
    #[cfg(feature = "nkeys")]
    pub fn credentials(mut self, text: impl Into<String>) -> Self {
        self.keys.credentials = Some(text.into());
        self
    }

    /// Logs in with a `.creds` file, which is read at each attempt to connect: renewed credentials need no restart.
    #[cfg(feature = "nkeys")]
    pub fn credentials_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.keys.credentials_file = Some(path.into());
        self
    }

    /// The certificates in PEM that servers are checked with, instead of those of the system.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = pem.into();
        self
    }

    /// The certificate that the node shows to servers (with those between it and a root, if any) and its key, both in PEM.
    #[cfg(feature = "tls")]
    pub fn client_certificate(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// The first token of all subjects. Applications with different prefixes do not hear each other.
    ///
    /// 1 to 64 characters of `A-Z a-z 0-9 - _`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long connecting to one server may take, with TLS and login.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long an operation waits for its confirmation. Then its outcome is
    /// [unknown](BrokerErrorKind::Unknown), and the link is given up.
    pub fn response_timeout(mut self, limit: Duration) -> Self {
        self.response_timeout = limit;
        self
    }

    /// How often the link is checked by a message to the node itself while nothing else confirms it.
    ///
    /// A link on which nothing arrives is given up after this and the response timeout at most.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.ping_interval = interval;
        self
    }

    /// The pause before a new attempt to connect: random, up to a limit that doubles from `min` to `max`.
    pub fn backoff(mut self, min: Duration, max: Duration) -> Self {
        self.backoff = (min, max);
        self
    }

    /// How many channels have a subscription of their own, which takes about 5 KB in the client.
    ///
    /// Further ones are heard by wildcards over hashed partitions, of which there are 256. Then the node also gets messages
    /// of channels that it has not subscribed to, and ignores them.
    pub fn max_exact_subscriptions(mut self, count: usize) -> Self {
        self.max_exact_subscriptions = count;
        self
    }

    /// How many operations may wait for their confirmation. Further ones fail with
    /// [`Overloaded`](BrokerErrorKind::Overloaded).
    pub fn max_queued_operations(mut self, count: usize) -> Self {
        self.max_queued_operations = count;
        self
    }

    /// How many bytes the operations that wait for their confirmation may have. A larger message is
    /// [`Rejected`](BrokerErrorKind::Rejected), as is one above the server's `max_payload`.
    pub fn max_queued_bytes(mut self, bytes: usize) -> Self {
        self.max_queued_bytes = bytes;
        self
    }

    /// How many messages may wait for the node, and how many of one channel in the client. Further ones are dropped, and
    /// reported.
    pub fn max_waiting_messages(mut self, count: usize) -> Self {
        self.max_waiting_messages = count;
        self
    }

    /// How many bytes of messages may wait for the node. Further messages are dropped, and reported.
    pub fn max_waiting_bytes(mut self, bytes: usize) -> Self {
        self.max_waiting_bytes = bytes;
        self
    }

    /// Builds the broker without connecting.
    ///
    /// # Errors
    ///
    /// [`Rejected`](BrokerErrorKind::Rejected) if a setting makes no sense. The text names it.
    pub fn build(self) -> Result<NatsBroker, BrokerError> {
        Ok(NatsBroker::new(self.settings()?))
    }

    /// Builds the broker, and connects once to find mistakes early: a wrong address or password, an unsuitable server.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and those of [`Broker::start`](switchboard_core::broker::Broker::start).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is left.
    pub async fn connect(self) -> Result<NatsBroker, BrokerError> {
        let broker = self.build()?;
        broker.probe().await?;
        Ok(broker)
    }

    fn settings(self) -> Result<Settings, BrokerError> {
        check_limits(&self)?;
        let mut servers = Vec::new();
        let mut login = None;
        for url in &self.urls {
            let (server, of_url) = parse_url(url)?;
            servers.push(server);
            login.get_or_insert(of_url);
        }
        let mut logins: Vec<Login> = login.flatten().into_iter().chain(self.token.map(Login::Token)).collect();
        #[cfg(feature = "nkeys")]
        {
            let Keys { nkey, credentials, credentials_file } = self.keys;
            logins.extend(nkey.map(|seed| Login::nkey(&seed)).transpose()?);
            logins.extend(credentials.map(|text| Login::credentials(&text)).transpose()?);
            logins.extend(credentials_file.map(Login::CredentialsFile));
        }
        if logins.len() > 1 {
            return Err(rejected(
                "several logins are set; keep one of user and password in the URL, `token`, `nkey`, `credentials` and \
                 `credentials_file`",
            ));
        }
        let login = logins.pop().unwrap_or_default();
        // To find a mistake early.
        login.read()?;
        Ok(Settings {
            servers,
            login,
            #[cfg(feature = "tls")]
            tls: crate::tls::Tls::new(&self.root_certificates, self.client_certificate.as_ref())?,
            prefix: self.prefix,
            connect_timeout: self.connect_timeout,
            response_timeout: self.response_timeout,
            ping_interval: self.ping_interval,
            min_backoff: self.backoff.0,
            max_backoff: self.backoff.1,
            max_exact_subscriptions: self.max_exact_subscriptions,
            max_queued_operations: self.max_queued_operations,
            max_queued_bytes: self.max_queued_bytes,
            max_waiting_messages: self.max_waiting_messages,
            max_waiting_bytes: self.max_waiting_bytes,
        })
    }
}

fn rejected(detail: &'static str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::Rejected, detail)
}

fn check_limits(builder: &NatsBrokerBuilder) -> Result<(), BrokerError> {
    let prefix = &builder.prefix;
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=64).contains(&prefix.len()) || !prefix.bytes().all(is_legal) {
        return Err(rejected("`prefix` must be 1 to 64 characters of `A-Z a-z 0-9 - _`"));
    }
    let times = [builder.connect_timeout, builder.response_timeout, builder.ping_interval, builder.backoff.0];
    let range = Duration::from_millis(10)..=Duration::from_secs(3600);
    if times.iter().any(|time| !range.contains(time))
        || !(builder.backoff.0..=*range.end()).contains(&builder.backoff.1)
    {
        return Err(rejected("times must be 10 ms to 1 hour, and the backoff's minimum no more than its maximum"));
    }
    let counts = [
        builder.max_queued_operations,
        builder.max_queued_bytes,
        builder.max_waiting_messages,
        builder.max_waiting_bytes,
    ];
    if counts.contains(&0) || counts[..3].iter().any(|count| *count > Room::MAX) {
        return Err(rejected("limits must be at least 1, and those of queues at most 268 435 456"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(builder: NatsBrokerBuilder) -> String {
        builder.build().unwrap_err().to_string()
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        let builder = || NatsBroker::builder("nats://h");
        assert!(builder().url("nats://i:1").build().is_ok());
        assert!(error(builder().prefix("a.b")).contains("`prefix`"));
        assert!(error(builder().prefix(">")).contains("`prefix`"));
        assert!(error(builder().response_timeout(Duration::ZERO)).contains("times"));
        assert!(error(builder().backoff(Duration::from_secs(2), Duration::from_secs(1))).contains("backoff"));
        assert!(error(builder().max_queued_operations(0)).contains("limits"));
        assert!(error(NatsBroker::builder("nats://ann:secret@h").token("t")).contains("several logins"));
        assert!(!format!("{:?}", NatsBroker::builder("nats://:secret@h").token("secret")).contains("secret"));
    }
}
