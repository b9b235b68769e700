//! The settings of a broker, and the builder that makes them.

use std::{fmt, sync::Arc, time::Duration};

use switchboard_core::{
    adapter::Room,
    broker::{BrokerError, BrokerErrorKind},
};

use crate::{
    RedisBroker, RedisRateLimitBuilder,
    address::{Address, Credentials, parse_url},
    link::{Connector, Timing},
};

/// Settings that have been checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) servers: Servers,
    pub(crate) credentials: Credentials,
    pub(crate) connector: Connector,
    /// Whether there is a connection for subscriptions beside that for commands.
    pub(crate) subscribes: bool,
    pub(crate) prefix: String,
    pub(crate) timing: Timing,
    pub(crate) max_queued_operations: usize,
    pub(crate) max_queued_bytes: usize,
    pub(crate) max_waiting_messages: usize,
    pub(crate) max_waiting_bytes: usize,
    pub(crate) min_backoff: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) topology_interval: Duration,
}

/// Which servers there are.
#[derive(Debug)]
pub(crate) enum Servers {
    Standalone(Address),
    Sentinel { sentinels: Vec<Address>, credentials: Credentials, master: String, tls: bool },
    Cluster(Vec<Address>),
}

impl Settings {
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.servers, Servers::Cluster(_))
    }
}

/// Builds a [`RedisBroker`]. Made by [`RedisBroker::builder`].
///
/// | setting | default |
/// |---|---|
/// | [`prefix`](Self::prefix) | `sb` |
/// | [`connect_timeout`](Self::connect_timeout) | 5 s |
/// | [`response_timeout`](Self::response_timeout) | 3 s |
/// | [`ping_interval`](Self::ping_interval) | 2 s |
/// | [`user_timeout`](Self::user_timeout) | 10 s |
/// | [`keepalive`](Self::keepalive) | 15 s |
/// | [`backoff`](Self::backoff) | 50 ms to 3 s |
/// | [`max_queued_operations`](Self::max_queued_operations) | 16 384 |
/// | [`max_queued_bytes`](Self::max_queued_bytes) | 64 MiB |
/// | [`max_waiting_messages`](Self::max_waiting_messages) | 65 536 |
/// | [`max_waiting_bytes`](Self::max_waiting_bytes) | 64 MiB |
/// | [`topology_interval`](Self::topology_interval) | 2 s |
///
/// `TCP_NODELAY` is always on.
///
/// ```
/// use std::time::Duration;
///
/// use switchboard_redis::RedisBroker;
///
/// let broker = RedisBroker::builder("redis://chat:secret@redis-1:6379")
///     .prefix("chat")
///     .response_timeout(Duration::from_secs(2))
///     .build()?;
/// # Ok::<(), switchboard_core::broker::BrokerError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisBrokerBuilder {
    urls: Vec<String>,
    cluster: bool,
    sentinel_master: Option<String>,
    sentinel_credentials: Credentials,
    #[cfg(feature = "tls")]
    root_certificates: Vec<u8>,
    #[cfg(feature = "tls")]
    client_certificate: Option<(Vec<u8>, Vec<u8>)>,
    prefix: String,
    connect_timeout: Duration,
    user_timeout: Duration,
    keepalive: Duration,
    timing: Timing,
    max_queued_operations: usize,
    max_queued_bytes: usize,
    max_waiting_messages: usize,
    max_waiting_bytes: usize,
    backoff: (Duration, Duration),
    topology_interval: Duration,
}

/// Without URLs, which may contain passwords.
impl fmt::Debug for RedisBrokerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBrokerBuilder").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl RedisBrokerBuilder {
    pub(crate) fn new(url: String) -> Self {
        Self {
            urls: vec![url],
            cluster: false,
            sentinel_master: None,
            sentinel_credentials: Credentials::default(),
            #[cfg(feature = "tls")]
            root_certificates: Vec::new(),
            #[cfg(feature = "tls")]
            client_certificate: None,
            prefix: "sb".to_owned(),
            connect_timeout: Duration::from_secs(5),
            user_timeout: Duration::from_secs(10),
            keepalive: Duration::from_secs(15),
            timing: Timing { ping_interval: Duration::from_secs(2), response_timeout: Duration::from_secs(3) },
            max_queued_operations: 16_384,
            max_queued_bytes: 64 << 20,
            max_waiting_messages: 65_536,
            max_waiting_bytes: 64 << 20,
            backoff: (Duration::from_millis(50), Duration::from_secs(3)),
            topology_interval: Duration::from_secs(2),
        }
    }

    /// Adds the URL of another Sentinel or of another server of the cluster, to be asked when others are not reachable.
    /// User and password are those of the first URL.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// The servers are a Redis Cluster, and the URLs name some of them.
    ///
    /// Channels then share 128 sharded channels, spread over all masters. Needs Redis 7 or Valkey.
    pub fn cluster(mut self) -> Self {
        self.cluster = true;
        self
    }

    /// The URLs name Sentinels, which know the master by this name. User and password in the URL are those of the master;
    /// for Sentinels see [`sentinel_credentials`](Self::sentinel_credentials).
    ///
    /// They are asked every [`topology_interval`](Self::topology_interval), and a master that was demoted is left.
    pub fn sentinel_master(mut self, name: impl Into<String>) -> Self {
        self.sentinel_master = Some(name.into());
        self
    }

    /// The user (or none) and the password of the Sentinels, if they want any.
    pub fn sentinel_credentials<'a>(mut self, user: impl Into<Option<&'a str>>, password: impl Into<String>) -> Self {
        let user = user.into().map(str::to_owned);
        self.sentinel_credentials = Credentials { user, password: Some(password.into()) };
        self
    }

    /// The certificates in PEM that servers are checked with, instead of those of the system.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = pem.into();
        self
    }

    /// The certificate that the node shows to servers (with those between it and a root, if any) and its key, both in PEM.
    ///
    /// Redis wants one from every client with TLS, unless `tls-auth-clients` is off.
    #[cfg(feature = "tls")]
    pub fn client_certificate(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// What the names of channels begin with, before a colon. Applications with different prefixes do not hear each other.
    ///
    /// 1 to 64 characters of `A-Z a-z 0-9 - _`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long connecting may take, with TLS and login.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long an operation waits for its answer. Then its outcome is
    /// [unknown](switchboard_core::broker::BrokerErrorKind::Unknown).
    ///
    /// A server that sends nothing for that long, although an answer is due, is taken for dead.
    pub fn response_timeout(mut self, limit: Duration) -> Self {
        self.timing.response_timeout = limit;
        self
    }

    /// After how much silence a connection is checked by a `PING`.
    ///
    /// A link on which nothing arrives is given up after this and the response timeout at most.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.timing.ping_interval = interval;
        self
    }

    /// How long what was sent may stay unacknowledged by the other machine (`TCP_USER_TIMEOUT`; on Linux only).
    pub fn user_timeout(mut self, limit: Duration) -> Self {
        self.user_timeout = limit;
        self
    }

    /// The interval of the system's own checks of an idle connection (`SO_KEEPALIVE`).
    pub fn keepalive(mut self, interval: Duration) -> Self {
        self.keepalive = interval;
        self
    }

    /// The pause before a new attempt to connect: random, up to a limit that doubles from `min` to `max`.
    pub fn backoff(mut self, min: Duration, max: Duration) -> Self {
        self.backoff = (min, max);
        self
    }

    /// How many operations may wait for their answer. Further ones fail with
    /// [`Overloaded`](switchboard_core::broker::BrokerErrorKind::Overloaded).
    pub fn max_queued_operations(mut self, count: usize) -> Self {
        self.max_queued_operations = count;
        self
    }

    /// How many bytes the operations that wait for their answer may have. A larger message is
    /// [`Rejected`](switchboard_core::broker::BrokerErrorKind::Rejected).
    pub fn max_queued_bytes(mut self, bytes: usize) -> Self {
        self.max_queued_bytes = bytes;
        self
    }

    /// How many messages may wait for the node. Further ones are dropped, and reported.
    pub fn max_waiting_messages(mut self, count: usize) -> Self {
        self.max_waiting_messages = count;
        self
    }

    /// How many bytes of messages may wait for the node. Further messages are dropped, and reported.
    pub fn max_waiting_bytes(mut self, bytes: usize) -> Self {
        self.max_waiting_bytes = bytes;
        self
    }

    /// How often Sentinels are asked for the master, and servers of a cluster for their parts.
    pub fn topology_interval(mut self, interval: Duration) -> Self {
        self.topology_interval = interval;
        self
    }

    /// Builds the broker without connecting.
    ///
    /// # Errors
    ///
    /// [`Rejected`](switchboard_core::broker::BrokerErrorKind::Rejected) if a setting makes no sense. The text names it.
    pub fn build(self) -> Result<RedisBroker, BrokerError> {
        Ok(RedisBroker::new(self.settings()?))
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
    pub async fn connect(self) -> Result<RedisBroker, BrokerError> {
        let broker = self.build()?;
        broker.probe().await?;
        Ok(broker)
    }

    /// Builds limits on the rate of messages that all nodes share, with the servers and settings of this builder.
    pub fn rate_limit(self) -> RedisRateLimitBuilder {
        RedisRateLimitBuilder::new(self)
    }

    pub(crate) fn settings(self) -> Result<Settings, BrokerError> {
        check_limits(&self)?;
        let mut addresses = Vec::new();
        let mut credentials = None;
        for url in &self.urls {
            let (address, login) = parse_url(url)?;
            addresses.push(address);
            credentials.get_or_insert(login);
        }
        let tls = addresses.iter().any(|address| address.tls);
        if tls && !addresses.iter().all(|address| address.tls) {
            return Err(rejected("either all URLs begin with `rediss://`, or none"));
        }
        let servers = match (self.sentinel_master, self.cluster) {
            (Some(_), true) => return Err(rejected("`sentinel_master` and `cluster` exclude each other")),
            (Some(master), false) => {
                Servers::Sentinel { sentinels: addresses, credentials: self.sentinel_credentials, master, tls }
            }
            (None, true) => Servers::Cluster(addresses),
            (None, false) => match <[_; 1]>::try_from(addresses) {
                Ok([address]) => Servers::Standalone(address),
                Err(_) => return Err(rejected("several URLs need `sentinel_master` or `cluster`")),
            },
        };
        Ok(Settings {
            servers,
            credentials: credentials.unwrap_or_default(),
            connector: Connector {
                connect_timeout: self.connect_timeout,
                user_timeout: self.user_timeout,
                keepalive: self.keepalive,
                #[cfg(feature = "tls")]
                tls: if tls {
                    Some(crate::link::Tls::new(&self.root_certificates, self.client_certificate.as_ref())?)
                } else {
                    None
                },
            },
            subscribes: true,
            prefix: self.prefix,
            timing: self.timing,
            max_queued_operations: self.max_queued_operations,
            max_queued_bytes: self.max_queued_bytes,
            max_waiting_messages: self.max_waiting_messages,
            max_waiting_bytes: self.max_waiting_bytes,
            min_backoff: self.backoff.0,
            max_backoff: self.backoff.1,
            topology_interval: self.topology_interval,
        })
    }
}

fn rejected(detail: &'static str) -> BrokerError {
    BrokerError::new(BrokerErrorKind::Rejected, detail)
}

fn check_limits(builder: &RedisBrokerBuilder) -> Result<(), BrokerError> {
    let prefix = &builder.prefix;
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=64).contains(&prefix.len()) || !prefix.bytes().all(is_legal) {
        return Err(rejected("`prefix` must be 1 to 64 characters of `A-Z a-z 0-9 - _`"));
    }
    let times = [
        builder.connect_timeout,
        builder.timing.response_timeout,
        builder.timing.ping_interval,
        builder.user_timeout,
        builder.keepalive,
        builder.topology_interval,
        builder.backoff.0,
    ];
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
    if counts.contains(&0) || counts[..2].iter().any(|count| *count > Room::MAX) {
        return Err(rejected("limits must be at least 1, and those of queues at most 268 435 456"));
    }
    Ok(())
}

impl RedisBroker {
    fn new(settings: Settings) -> Self {
        Self::from_core(Arc::new(crate::shared::Shared::new(settings)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(builder: RedisBrokerBuilder) -> String {
        builder.build().unwrap_err().to_string()
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        let builder = || RedisBroker::builder("redis://h");
        assert!(builder().build().is_ok());
        assert!(error(builder().prefix("a:b")).contains("`prefix`"));
        assert!(error(builder().prefix("")).contains("`prefix`"));
        assert!(error(builder().response_timeout(Duration::ZERO)).contains("times"));
        assert!(error(builder().backoff(Duration::from_secs(2), Duration::from_secs(1))).contains("backoff"));
        assert!(error(builder().max_queued_operations(0)).contains("limits"));
        assert!(error(builder().max_queued_bytes(1 << 29)).contains("limits"));
        assert!(error(builder().url("redis://i")).contains("several URLs"));
        assert!(error(builder().cluster().sentinel_master("m")).contains("exclude"));
        assert!(builder().url("redis://i").cluster().build().is_ok());
        assert!(!format!("{:?}", RedisBroker::builder("redis://:secret@h")).contains("secret"));
    }
}
