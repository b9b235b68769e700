//! The hub: topics, users and connections.

// rustdoc lists the methods of `Hub` in the order of its modules: the public ones come first.
mod handle;

mod builder;
mod calls;
mod drain;
mod error;
mod gathered;
mod link;
mod publish;
mod registry;
mod shed_slowest;
mod stats;
mod subscribe;
#[cfg(test)]
mod tests;
mod topics;
mod typed;
mod wheel;

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use switchboard_core::{Message, WsError, check_topic};

#[cfg(feature = "test")]
pub(crate) use self::publish::{Captures, PublishLog, Record};
#[cfg(test)]
use self::tests::testing;
pub use self::{
    builder::HubBuilder,
    calls::{CallAll, CallAnswers, CallFirst},
    drain::{Drain, DrainFuture},
    error::{PublishError, PublishErrorKind, TopicError, TopicErrorKind},
    gathered::Gathered,
    publish::{Batch, BatchOptions, Matched, Publish, PublishFuture, PublishMany, Published, Throttle},
    registry::{ConnectionHandle, Connections, Members, UserEvent, UserEvents, UserHandle},
    stats::HubStats,
    subscribe::{ChangeTopics, Subscribe, TopicChange, TopicFuture, Unsubscribe},
    topics::{SlowConsumer, Topic as TypedTopic, TopicHandle, TopicName, TopicOf, TopicOptions},
    typed::TypedHub,
};
use self::{
    builder::{HubLimits, Normalize},
    link::Link,
    publish::Outgoing,
    registry::{Registry, UserFeed},
    subscribe::Authorizations,
    topics::TopicRules,
    wheel::Wheel,
};
pub(crate) use self::{
    registry::{ConnectionPermit, LimitExceeded},
    subscribe::{InFlight, Operation, PendingChange, Subscriptions},
    topics::{AsStr, Filter, TopicRule},
    wheel::{Check, TimerKey},
};
use crate::{
    conn::{AnyConn, ConnId, ConnInner},
    fanout,
    log_limit::LogLimit,
    metrics,
    outbox::Budget,
    wire::encode,
};

/// A topic whose subscribers are connections.
pub(crate) type Topic = fanout::Topic<AnyConn>;

/// A handle to the topics, users and connections of an application. Cheap to clone.
///
/// Create one hub, pass it to routers with [`WsRouter::hub`](crate::WsRouter::hub), and put it into
/// the state of HTTP handlers that publish. Routes that share a hub share its topics, users and
/// connections.
///
/// ```
/// use axum::extract::State;
/// use switchboard::{Hub, ws_message};
///
/// #[ws_message("NEWS")]
/// struct News {
///     text: String,
/// }
///
/// async fn notify(State(hub): State<Hub>, text: String) -> String {
///     match hub.publish("news", News { text }).await {
///         Ok(published) => format!("{:?}", published.matched()),
///         Err(error) => error.to_string(),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Hub(Arc<HubInner>);

pub(crate) struct HubInner {
    /// The rules of topics, by pattern.
    rules: TopicRules,
    /// The link to other nodes; `None` without a broker.
    link: Option<Arc<Link>>,
    normalize: Option<Normalize>,
    limits: HubLimits,
    /// The number of subscriptions with their own filter.
    filters: AtomicUsize,
    /// Authorizations in progress.
    authorizations: Authorizations,
    /// Topics with at least one subscriber. Subscribers are added under this lock, so that a topic
    /// cannot be removed while one is joining.
    topics: RwLock<HashMap<Arc<str>, Arc<Topic>>>,
    registry: Mutex<Registry>,
    users: UserFeed,
    queued: Arc<Budget>,
    wheel: Wheel,
    log_limit: LogLimit,
    subscriptions: AtomicUsize,
    pending_upgrades: AtomicUsize,
    draining: AtomicBool,
    /// A route uses the hub, or the warning that none does was logged.
    in_use: AtomicBool,
    running: AtomicUsize,
    detached: AtomicUsize,
    dropped: AtomicU64,
    late_answers: AtomicU64,
    #[cfg(feature = "test")]
    captures: Captures,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    #[track_caller]
    fn with(builder: HubBuilder, rules: TopicRules) -> Self {
        Self(Arc::new_cyclic(|hub| HubInner {
            rules,
            link: Link::start(builder.link, hub),
            normalize: builder.normalize,
            limits: builder.limits,
            filters: AtomicUsize::new(0),
            authorizations: Authorizations::default(),
            topics: RwLock::default(),
            registry: Mutex::default(),
            queued: Arc::new(Budget::new(builder.max_queued_bytes)),
            users: UserFeed::new(builder.max_queued_user_events),
            wheel: Wheel::default(),
            log_limit: LogLimit::default(),
            subscriptions: AtomicUsize::new(0),
            pending_upgrades: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            in_use: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            detached: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            late_answers: AtomicU64::new(0),
            #[cfg(feature = "test")]
            captures: Captures::default(),
        }))
    }

    pub(crate) fn publish_from<M: Message>(
        &self,
        topic: &str,
        message: M,
        sender: Option<Arc<AnyConn>>,
        validate: bool,
    ) -> Publish {
        self.publish_outgoing(topic, self.outgoing(message, validate), sender)
    }

    /// Encodes a message, and keeps its value if filters or conflation keys may need it.
    fn outgoing<M: Message>(&self, message: M, validate: bool) -> Result<Outgoing, PublishError> {
        let frame = encode::event(&message, None, validate).map_err(|error| PublishError::invalid(error.into()))?;
        let outgoing = Outgoing::new(M::TYPE, frame);
        Ok(if self.looks_at_values() { outgoing.with_value(message) } else { outgoing })
    }

    fn publish_outgoing(
        &self,
        topic: &str,
        message: Result<Outgoing, PublishError>,
        sender: Option<Arc<AnyConn>>,
    ) -> Publish {
        let topic = self.name(topic);
        let message = check_topic(&topic).map_err(PublishError::invalid_topic).and(message);
        Publish::new(self.clone(), &topic, message, sender)
    }

    /// Checks that the name is valid and allowed.
    fn check_name(&self, topic: &str) -> Result<(), PublishError> {
        let topic = self.name(topic);
        check_topic(&topic).map_err(PublishError::invalid_topic)?;
        self.rule_for(&topic).map(|_| ())
    }

    /// Returns the rule for a topic that may not exist yet.
    fn rule_for(&self, topic: &str) -> Result<Option<&Arc<TopicRule>>, PublishError> {
        match self.0.rules.find(topic) {
            Some(rule) if !rule.allows_name(topic) => Err(PublishError::not_allowed(topic, rule.pattern())),
            rule => Ok(rule),
        }
    }

    /// Notes that a route was mounted with this hub.
    pub(crate) fn note_route(&self) {
        self.0.in_use.store(true, Relaxed);
    }

    /// Warns once if no route uses the hub, since nothing published to it can arrive.
    fn warn_if_unused(&self, topic: &str) -> bool {
        let warns = !self.0.in_use.load(Relaxed) && !self.0.in_use.swap(true, Relaxed);
        if warns {
            tracing::warn!(
                topic,
                "published to a hub that no route uses: pass the same hub to routers with `WsRouter::hub(hub.clone())`"
            );
        }
        warns
    }

    /// Returns the normalised name of a topic that clients may subscribe to by themselves.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` for an invalid name, `PERMISSION_DENIED` for another topic.
    pub(crate) fn client_topic(&self, topic: &str) -> Result<String, WsError> {
        let name = self.name(topic);
        check_topic(&name)?;
        match self.0.rules.find(&name) {
            Some(rule) if rule.options.allows_clients => Ok(name.into_owned()),
            _ => Err(WsError::permission_denied("clients cannot subscribe to this topic by themselves")),
        }
    }

    /// Returns the patterns of topics that clients may subscribe to by themselves, with their options.
    pub(crate) fn client_topics(&self) -> impl Iterator<Item = (&str, &TopicOptions)> {
        let rules = self.0.rules.iter().map(|rule| (rule.pattern(), &rule.options));
        rules.filter(|(_, options)| options.allows_clients)
    }

    /// Normalises a topic's name.
    pub(crate) fn name<'a>(&self, topic: &'a str) -> Cow<'a, str> {
        match &self.0.normalize {
            Some(normalize) => Cow::Owned(normalize(topic)),
            None => Cow::Borrowed(topic),
        }
    }

    #[cfg(feature = "test")]
    pub(crate) fn captures(&self) -> &Captures {
        &self.0.captures
    }

    pub(crate) fn queued(&self) -> Arc<Budget> {
        Arc::clone(&self.0.queued)
    }

    #[cfg(any(test, all(feature = "test", feature = "cluster")))]
    pub(crate) fn inner(&self) -> &Arc<HubInner> {
        &self.0
    }

    fn find_topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.0.topics.read().get(name).cloned()
    }

    pub(crate) fn connected<D: Send + Sync + 'static>(&self, conn: &Arc<ConnInner<D>>) {
        self.0.registry.lock().insert(Arc::clone(conn) as Arc<AnyConn>);
        // The upgrade was accepted while the drain began.
        if self.is_draining() {
            conn.signal(crate::conn::Signal::Drain);
        }
    }

    /// Schedules a check of a connection.
    pub(crate) fn schedule<D: ?Sized>(&self, conn: &ConnInner<D>, after: Duration, check: Check) {
        self.0.wheel.schedule(&self.0, conn, after, check);
    }

    pub(crate) fn add_user(&self, user: &Arc<str>, conn: ConnId) -> Result<(), LimitExceeded> {
        let limit = self.0.limits.max_connections_per_user;
        let Some(link) = &self.0.link else {
            let mut registry = self.0.registry.lock();
            let count = registry.add_user(user, conn, limit, 0)?;
            self.0.users.added(user, conn, count);
            return Ok(());
        };
        let elsewhere = limit.map_or(0, |_| link.connections_elsewhere(user));
        let count = self.0.registry.lock().add_user(user, conn, limit, elsewhere)?;
        // Events of users come from the link, which knows the other nodes.
        if !link.user_connected(user, conn) {
            self.0.users.added(user, conn, count);
        }
        Ok(())
    }

    /// Sends the events of [`add_user`](Self::add_user). Call it after that, with nothing locked.
    pub(crate) fn send_user_events(&self) {
        self.0.users.send();
    }

    /// Counts a handler as running, once it was pending.
    pub(crate) fn handler_pending(&self) {
        self.0.running.fetch_add(1, Relaxed);
    }

    pub(crate) fn handler_ended(&self, was_dropped: bool) {
        self.0.running.fetch_sub(1, Relaxed);
        self.0.dropped.fetch_add(u64::from(was_dropped), Relaxed);
    }

    /// Counts a detached handler: its request has ended, but it runs to completion.
    pub(crate) fn detached_begun(&self) {
        self.0.detached.fetch_add(1, Relaxed);
    }

    pub(crate) fn detached_ended(&self) {
        self.0.detached.fetch_sub(1, Relaxed);
    }

    pub(crate) fn count_late_answer(&self) {
        self.0.late_answers.fetch_add(1, Relaxed);
        metrics::late_answer();
    }

    /// Warns of something that strangers can cause, not too often.
    #[cfg(feature = "cluster")]
    fn warn_limited(&self, message: &str) {
        if let Some(suppressed) = self.may_log() {
            tracing::warn!(suppressed, "{message}");
        }
    }

    #[cfg(feature = "cluster")]
    fn from_inner(inner: Arc<HubInner>) -> Self {
        Self(inner)
    }

    /// Returns whether an error may be logged, with the number of errors suppressed before it.
    pub(crate) fn may_log(&self) -> Option<u64> {
        self.0.log_limit.may_log()
    }

    pub(crate) fn log_limit(&self) -> &LogLimit {
        &self.0.log_limit
    }

    /// Ends all subscriptions and timers of a connection, and refuses new ones.
    pub(crate) fn disconnected<D: ?Sized>(&self, conn: &ConnInner<D>) {
        self.leave_all(conn);
        // Before the registry forgets the connection: compacting the wheel looks up others by id.
        self.0.wheel.end(&self.0, conn);
        let user = conn.user();
        let mut registry = self.0.registry.lock();
        let left = user.and_then(|user| {
            let left = registry.remove_user(&user, conn.id)?;
            if self.0.link.is_none() {
                self.0.users.ended(&user, conn.id, left);
            }
            Some((user, left))
        });
        let removed = registry.remove(conn.id);
        drop(registry);
        drop(removed);
        if let (Some((user, left)), Some(link)) = (left, &self.0.link)
            && !link.user_disconnected(&user, conn.id)
        {
            self.0.users.ended(&user, conn.id, left);
        }
        self.send_user_events();
        let permit = conn.existing_cold().and_then(|cold| cold.permit.lock().take());
        drop(permit);
    }
}

/// The task of the link holds no hub.
impl Drop for HubInner {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            link.close();
        }
    }
}

impl HubInner {
    #[cfg(all(feature = "test", feature = "cluster"))]
    pub(crate) fn link(&self) -> Option<&Link> {
        self.link.as_deref()
    }

    pub(crate) fn connection(&self, id: ConnId) -> Option<Arc<AnyConn>> {
        self.registry.lock().get(id).cloned()
    }
}

/// Two handles are equal if they refer to the same hub.
impl PartialEq for Hub {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Hub {}

impl fmt::Debug for HubInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubInner").finish_non_exhaustive()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hub").field(&self.stats()).finish()
    }
}
