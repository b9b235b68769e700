//! The settings of a hub.

use std::{fmt, sync::Arc};

use crate::hub::{Hub, TopicOptions, link::LinkSettings, topics::TopicRules};

/// The function that normalises topic names.
pub(crate) type Normalize = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// A builder for a [`Hub`]: [`Hub::builder`].
#[derive(Clone)]
#[must_use]
pub struct HubBuilder {
    topics: Vec<(Box<str>, TopicOptions)>,
    pub(crate) normalize: Option<Normalize>,
    pub(crate) limits: HubLimits,
    pub(crate) max_queued_bytes: usize,
    pub(crate) max_queued_user_events: usize,
    pub(crate) link: LinkSettings,
}

/// The limits of connections and upgrades, over all routes of a hub.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HubLimits {
    pub(crate) max_connections: Option<usize>,
    pub(crate) max_connections_per_ip: Option<usize>,
    pub(crate) max_connections_per_user: Option<usize>,
    pub(crate) max_pending_upgrades: usize,
}

impl HubBuilder {
    pub(super) fn new() -> Self {
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
            link: LinkSettings::default(),
        }
    }

    /// Sets the rules of topics that match a pattern: a name, or a prefix followed by `*`. If
    /// several patterns match a topic, the first one applies.
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

    /// Normalises topic names wherever one is given, for example to lower case. The function must
    /// be idempotent: normalising a normalised name must not change it.
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

    /// Limits the connections of all routes together. Further upgrades are refused with 503. No
    /// limit by default, other than the process's limit of open files.
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

    /// Limits the connections from one IP address, of all routes together. Further upgrades are
    /// refused with 503. IPv6 addresses in the same /64 network count as one. No limit by default.
    ///
    /// Behind a proxy, set [`trusted_proxies`](crate::WsRouter::trusted_proxies) on each route.
    /// Otherwise all connections count for the proxy's address.
    ///
    /// The limit needs the peer's address: serve with [`switchboard::serve`](crate::serve), or with
    /// `axum::serve` and `into_make_service_with_connect_info::<SocketAddr>()`. With a plain
    /// `axum::serve(listener, app)`, all upgrades are refused with 500.
    pub fn max_connections_per_ip(mut self, count: usize) -> Self {
        self.limits.max_connections_per_ip = Some(count);
        self
    }

    /// Limits the connections of one user, on all routes together. Further connections identified
    /// at the upgrade are closed with 4504; [`Conn::identify`](crate::Conn::identify) fails with
    /// `RESOURCE_EXHAUSTED`. No limit by default.
    ///
    /// With a [broker](Self::broker), connections to all nodes count, as far as is known: nodes tell
    /// each other of their users within 200 ms. So a user who connects to several nodes at the same
    /// moment may exceed the limit, at most by the limit for each further node; no connection is closed
    /// for it afterwards. Connections of a node that died count for 9 s. When this node has lost the
    /// broker, only its own connections count, after the same time.
    pub fn max_connections_per_user(mut self, count: usize) -> Self {
        self.limits.max_connections_per_user = Some(count);
        self
    }

    /// Limits the upgrades in progress, on all routes together. Further ones are refused with 503.
    /// 1024 by default.
    pub fn max_pending_upgrades(mut self, count: usize) -> Self {
        self.limits.max_pending_upgrades = count;
        self
    }

    /// Limits the bytes in the outbound queues of all connections together. 256 MiB by default,
    /// which is 256 stalled clients with full queues of
    /// [`Config::max_outbound_bytes`](crate::Config::max_outbound_bytes) (1 MiB). Use `usize::MAX`
    /// for no limit. See the [guide](crate::guide::memory).
    ///
    /// Only bytes that stay queued for slow consumers count, including per-message overhead. A
    /// published message counts once for each slow subscriber. Messages to clients that keep up do
    /// not count.
    ///
    /// Above three quarters of the limit, connections are closed with 4002, those with the most
    /// bytes first, until the queues are down to half of the limit. A connection that would exceed
    /// the limit before that is closed at once. Allow a few hundred times the size of the largest
    /// message, and more than 256 MiB if more than 100 000 clients may fall behind at the same
    /// time.
    ///
    /// [`SlowConsumer::DropOldest`](crate::SlowConsumer::DropOldest) does not prevent this: it
    /// drops messages when the queue of one connection is full.
    pub fn max_queued_bytes(mut self, bytes: usize) -> Self {
        self.max_queued_bytes = bytes;
        self
    }

    /// Limits the events queued for each reader of [`Hub::user_events`]. Beyond it, the oldest
    /// events are lost and the reader gets [`UserEvent::Missed`](crate::UserEvent::Missed). 1024 by
    /// default, at most 1 048 576, rounded up to a power of two.
    pub fn max_queued_user_events(mut self, count: usize) -> Self {
        self.max_queued_user_events = count;
        self
    }

    /// Builds the hub.
    ///
    /// # Panics
    ///
    /// - If a pattern is neither a valid topic name nor a prefix followed by `*`.
    /// - If a pattern can never apply, because an earlier one matches all of its topics.
    /// - If `max_pending_upgrades` is 0.
    /// - With a broker, outside of a tokio runtime.
    #[must_use]
    #[track_caller]
    pub fn build(mut self) -> Hub {
        assert!(
            self.limits.max_pending_upgrades > 0,
            "`HubBuilder::max_pending_upgrades` is 0, so no client could connect: set at least 1"
        );
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
