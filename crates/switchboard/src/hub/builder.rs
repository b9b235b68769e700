//! Making a hub with settings.

use std::{fmt, sync::Arc};

use crate::hub::{Hub, TopicOptions, topics::TopicRules};

/// How topics' names are made comparable.
pub(crate) type Normalize = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Makes a [`Hub`]: see [`Hub::builder`].
#[derive(Clone)]
#[must_use]
pub struct HubBuilder {
    topics: Vec<(Box<str>, TopicOptions)>,
    pub(crate) normalize: Option<Normalize>,
    pub(crate) limits: HubLimits,
    pub(crate) max_queued_bytes: usize,
    pub(crate) max_queued_user_events: usize,
}

/// How many connections and upgrades a hub takes, of all its routes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HubLimits {
    pub(crate) max_connections: Option<usize>,
    pub(crate) max_connections_per_ip: Option<usize>,
    pub(crate) max_connections_per_user: Option<usize>,
    pub(crate) max_pending_upgrades: usize,
}

impl HubBuilder {
    fn new() -> Self {
        Self {
            topics: Vec::new(),
            normalize: None,
            limits: HubLimits {
                max_connections: None,
                max_connections_per_ip: None,
                max_connections_per_user: None,
                max_pending_upgrades: 1024,
            },
            max_queued_bytes: 256 * 1024 * 1024,
            max_queued_user_events: 1024,
        }
    }

    /// Sets the rules of all topics that a pattern matches: a name, or the beginning of names and
    /// `*`. Of several patterns that match a topic the first counts.
    ///
    /// ```
    /// use switchboard::{Hub, SlowConsumer, TopicOptions};
    ///
    /// let hub = Hub::builder()
    ///     .topic("cursor:*", TopicOptions::new().no_self_delivery().slow_consumer(SlowConsumer::DropOldest))
    ///     .topic("room:*", TopicOptions::new().max_members(500).max_per_connection(10))
    ///     .build();
    /// # let _ = hub;
    /// ```
    pub fn topic(mut self, pattern: impl Into<String>, options: TopicOptions) -> Self {
        self.topics.push((pattern.into().into_boxed_str(), options));
        self
    }

    /// Makes different spellings of a topic's name one, wherever a name is given: in lower case, or
    /// without a slash at the end. What comes out must be a fixed point.
    ///
    /// ```
    /// # use switchboard::Hub;
    /// let hub = Hub::builder().normalize_topics(|name| name.to_lowercase()).build();
    /// # let _ = hub;
    /// ```
    pub fn normalize_topics(mut self, normalize: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.normalize = Some(Arc::new(normalize));
        self
    }

    /// HubLimits the connections of the hub, of all its routes together. Upgrades beyond it are refused
    /// with 503. No limit by default: connections are then limited by the process's open files.
    ///
    /// ```
    /// use switchboard::{Hub, WsRouter, ws_route};
    ///
    /// let hub = Hub::builder().max_connections(50_000).max_connections_per_user(10).build();
    /// let app = axum::Router::<()>::new()
    ///     .route("/chat", ws_route(WsRouter::new().hub(hub.clone())))
    ///     .route("/admin", ws_route(WsRouter::new().hub(hub)));
    /// # let _ = app;
    /// ```
    pub fn max_connections(mut self, count: usize) -> Self {
        self.limits.max_connections = Some(count);
        self
    }

    /// HubLimits the connections from one address, of all routes together. Upgrades beyond it are
    /// refused with 503. IPv6 addresses of the same /64 network count as one. No limit by default.
    ///
    /// Behind a proxy, name it in [`trusted_proxies`](crate::WsRouter::trusted_proxies) on each
    /// route: else all connections come from the proxy's address.
    ///
    /// The address is axum's [`ConnectInfo`](axum::extract::ConnectInfo): serve the app with
    /// [`switchboard::serve`](crate::serve), or axum's with
    /// `into_make_service_with_connect_info::<SocketAddr>()`. Without it, as with a plain
    /// `axum::serve(listener, app)`, all upgrades are refused with 500, since the limit cannot be
    /// kept.
    pub fn max_connections_per_ip(mut self, count: usize) -> Self {
        self.limits.max_connections_per_ip = Some(count);
        self
    }

    /// HubLimits the connections of one user, of all routes together. Further ones are closed with
    /// 4504; [`Conn::identify`](crate::Conn::identify) fails with `RESOURCE_EXHAUSTED`. No limit by
    /// default.
    pub fn max_connections_per_user(mut self, count: usize) -> Self {
        self.limits.max_connections_per_user = Some(count);
        self
    }

    /// HubLimits the upgrades that are authenticated at the same time, of all routes together. Further
    /// ones are refused with 503. 1024 by default.
    pub fn max_pending_upgrades(mut self, count: usize) -> Self {
        self.limits.max_pending_upgrades = count;
        self
    }

    /// HubLimits the bytes that wait to be written to all connections together. 256 MiB by default:
    /// 256 clients that read nothing with queues of
    /// [`Config::max_outbound_bytes`](crate::Config::max_outbound_bytes), 1 MiB. `usize::MAX` for no
    /// limit. See the [guide](crate::guide::memory).
    ///
    /// Counted is what stays queued because clients do not read as fast, each message with its
    /// overhead, and a published message once for each subscriber that it waits for. Messages that
    /// leave at once do not count, nor does anything sent to a client that keeps up.
    ///
    /// At three quarters of the limit connections are closed with 4002, those with the most bytes
    /// first, until half is left. Where bytes come faster than that, the connection that would exceed
    /// the limit is closed at once. Allow some hundred times the largest message, so that no single
    /// one decides; and more than 256 MiB where more than 100 000 clients may fall behind for a
    /// moment.
    ///
    /// This holds for members of topics that [drop](crate::SlowConsumer::DropOldest) messages, too:
    /// those are dropped where the queue of a connection is full, not where this limit is reached.
    pub fn max_queued_bytes(mut self, bytes: usize) -> Self {
        self.max_queued_bytes = bytes;
        self
    }

    /// How many events may wait for each reader of [`Hub::user_events`]: beyond them the oldest are
    /// lost, which it is told. By default 1024; rounded up to a power of two.
    pub fn max_queued_user_events(mut self, count: usize) -> Self {
        self.max_queued_user_events = count;
        self
    }

    /// The hub.
    ///
    /// # Panics
    ///
    /// If a pattern is neither a valid name nor the beginning of one and `*`, or stands behind
    /// another that matches all that it does; and if `max_pending_upgrades` is 0, with which nobody
    /// could connect.
    #[must_use]
    #[track_caller]
    pub fn build(mut self) -> Hub {
        assert!(self.limits.max_pending_upgrades > 0, "`HubBuilder::max_pending_upgrades` must not be 0");
        match TopicRules::new(std::mem::take(&mut self.topics)) {
            Ok(rules) => Hub::with(self, rules),
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Debug for HubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubBuilder")
            .field("topics", &self.topics)
            .field("limits", &self.limits)
            .field("max_queued_bytes", &self.max_queued_bytes)
            .field("max_queued_user_events", &self.max_queued_user_events)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub with settings. They hold for all routes that share it; those of one route are in
    /// [`Config`](crate::Config).
    ///
    /// | setting | default | beyond it |
    /// |---|---|---|
    /// | [`topic`](HubBuilder::topic) | no rules: handlers decide | what [`TopicOptions`] say |
    /// | [`normalize_topics`](HubBuilder::normalize_topics) | names stay as they are given | |
    /// | [`max_connections`](HubBuilder::max_connections) | none | HTTP 503 |
    /// | [`max_connections_per_ip`](HubBuilder::max_connections_per_ip) | none | HTTP 503; 500 where addresses are not known |
    /// | [`max_connections_per_user`](HubBuilder::max_connections_per_user) | none | close 4504 |
    /// | [`max_pending_upgrades`](HubBuilder::max_pending_upgrades) | 1024 | HTTP 503 |
    /// | [`max_queued_bytes`](HubBuilder::max_queued_bytes) | 256 MiB, of all connections | the slowest are closed with 4002 |
    /// | [`max_queued_user_events`](HubBuilder::max_queued_user_events) | 1024 for each reader | the oldest are lost |
    ///
    /// ```
    /// use switchboard::Hub;
    ///
    /// let hub = Hub::builder().max_queued_bytes(512 * 1024 * 1024).build();
    /// # let _ = hub;
    /// ```
    pub fn builder() -> HubBuilder {
        HubBuilder::new()
    }
}
