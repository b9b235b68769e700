//! The hub: topics, and a handle to publish from anywhere.

mod builder;
#[cfg(feature = "test")]
mod capture;
mod connections;
mod drain;
mod error;
mod large;
mod log_limit;
mod place;
mod publish;
mod registry;
mod shed;
mod stats;
mod subscriptions;
mod topic;
mod user_events;
mod users;
mod wheel;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use switchboard_core::{Message, check_topic};

#[cfg(feature = "test")]
pub(crate) use self::capture::{Captures, PublishLog, Record};
pub use self::{
    builder::HubBuilder,
    connections::{Connections, Members},
    drain::{Drain, DrainFuture},
    error::{PublishError, PublishErrorKind, TopicError, TopicErrorKind},
    publish::{Matched, Publish, PublishFuture, Published},
    stats::HubStats,
    user_events::{UserEvent, UserEvents},
};
pub(crate) use self::{
    log_limit::LogLimit, place::Place, registry::Full, subscriptions::Subscriptions, topic::Topic, wheel::Check,
};
use self::{registry::Registry, subscriptions::Subscription, user_events::UserFeed, wheel::Wheel};
use crate::{
    conn::{AnyConn, ConnId, ConnInner, Total},
    encode, metrics, turn,
};

/// A cheap-to-clone handle to the topics and connections of an application.
///
/// Make one, give it to routers with [`WsRouter::hub`](crate::WsRouter::hub) and to HTTP handlers
/// through their state. Topics, users and connections belong to a hub: two routes share them if they
/// share the hub.
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
    /// Only topics with members. A member is put in while this is locked, so that no topic is
    /// removed with a member just joining.
    topics: RwLock<HashMap<Box<str>, Arc<Topic>>>,
    registry: Mutex<Registry>,
    users: UserFeed,
    queued: Arc<Total>,
    wheel: Wheel,
    log_limit: LogLimit,
    subscriptions: AtomicUsize,
    pending_upgrades: AtomicUsize,
    draining: AtomicBool,
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
    /// A hub that lives in this process's memory.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    fn with(settings: &HubBuilder) -> Self {
        Self(Arc::new(HubInner {
            topics: RwLock::default(),
            registry: Mutex::default(),
            queued: Arc::new(Total::new(settings.max_queued_bytes)),
            users: UserFeed::new(settings.max_queued_user_events),
            wheel: Wheel::default(),
            log_limit: LogLimit::default(),
            subscriptions: AtomicUsize::new(0),
            pending_upgrades: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            detached: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            late_answers: AtomicU64::new(0),
            #[cfg(feature = "test")]
            captures: Captures::default(),
        }))
    }

    /// Publishes a message to the members of a topic. Nobody subscribed is a success, too.
    ///
    /// The message is always validated. Nothing is published before the result is awaited.
    #[expect(clippy::needless_pass_by_value, reason = "a message that is sent is given away")]
    pub fn publish<M: Message<Meta = ()>>(&self, topic: impl AsRef<str>, message: M) -> Publish {
        self.publish_from(topic.as_ref(), &message, None, true)
    }

    /// How much is going on.
    #[must_use]
    pub fn stats(&self) -> HubStats {
        let registry = self.0.registry.lock();
        let (connections, users) = (registry.len(), registry.user_count());
        drop(registry);
        HubStats {
            connections,
            users,
            subscriptions: self.0.subscriptions.load(Relaxed),
            topics: self.0.topics.read().len(),
            queued_bytes: self.0.queued.bytes(),
            pending_upgrades: self.0.pending_upgrades.load(Relaxed),
            running_handlers: self.0.running.load(Relaxed),
            dropped_handlers: self.0.dropped.load(Relaxed),
            detached_handlers: self.0.detached.load(Relaxed),
            late_answers: self.0.late_answers.load(Relaxed),
            slow_consumers: self.0.queued.overflowed(),
        }
    }

    /// How many connections are subscribed to a topic; one that is being closed counts until its
    /// `on_close` hooks are done.
    #[must_use]
    pub fn subscribers(&self, topic: &str) -> usize {
        self.topic(topic).map_or(0, |topic| topic.len())
    }

    pub(crate) fn publish_from<M: Message>(
        &self,
        topic: &str,
        message: &M,
        sender: Option<Arc<AnyConn>>,
        validate: bool,
    ) -> Publish {
        let frame = check_topic(topic)
            .map_err(PublishError::invalid_topic)
            .and_then(|()| encode::event(message, None, validate).map_err(PublishError::invalid));
        Publish::new(self.clone(), topic, frame, sender)
    }

    #[cfg(feature = "test")]
    pub(crate) fn captures(&self) -> &Captures {
        &self.0.captures
    }

    pub(crate) fn queued(&self) -> Arc<Total> {
        Arc::clone(&self.0.queued)
    }

    #[cfg(test)]
    pub(crate) fn inner(&self) -> &Arc<HubInner> {
        &self.0
    }

    fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.0.topics.read().get(name).cloned()
    }

    pub(crate) fn subscribe(&self, conn: &Arc<AnyConn>, name: &str) -> Result<bool, TopicError> {
        check_topic(name).map_err(TopicError::invalid_topic)?;
        // What was published before does not reach it.
        turn::seal();
        let mut subscriptions = conn.subscriptions.lock();
        if subscriptions.contains(name) {
            return Ok(false);
        }
        // Checked under the lock under which the connection's end takes all subscriptions.
        if subscriptions.ended() || conn.outbox.is_closed() {
            return Err(TopicError::closed());
        }
        let (limit, current) = (conn.settings.config.max_subscriptions, subscriptions.len());
        if current >= limit {
            return Err(TopicError::limit(limit, current));
        }
        let mut topics = self.0.topics.write();
        let topic = match topics.get(name) {
            Some(topic) => topic,
            None => topics.entry(name.into()).or_insert_with(|| Arc::new(Topic::new(name))),
        };
        let key = topic.insert(Arc::clone(conn));
        subscriptions.push(Subscription { topic: Arc::clone(topic), key });
        self.0.subscriptions.fetch_add(1, Relaxed);
        Ok(true)
    }

    pub(crate) fn unsubscribe<D: ?Sized>(&self, conn: &ConnInner<D>, name: &str) -> Result<bool, TopicError> {
        check_topic(name).map_err(TopicError::invalid_topic)?;
        // What was published before does reach it.
        turn::seal();
        // Held until the topic has let go: a subscription begun meanwhile must not be a second one.
        let mut subscriptions = conn.subscriptions.lock();
        let Some(subscription) = subscriptions.remove(name) else { return Ok(false) };
        self.leave(&subscription);
        Ok(true)
    }

    fn leave(&self, subscription: &Subscription) {
        self.0.subscriptions.fetch_sub(1, Relaxed);
        if subscription.topic.remove(subscription.key) > 0 {
            return;
        }
        let mut topics = self.0.topics.write();
        let name = subscription.topic.name();
        // Somebody may have joined since, or this may be an older topic of the same name.
        if topics.get(name).is_some_and(|topic| Arc::ptr_eq(topic, &subscription.topic) && topic.len() == 0) {
            topics.remove(name);
        }
    }

    pub(crate) fn connected<D: Send + Sync + 'static>(&self, conn: &Arc<ConnInner<D>>) {
        self.0.registry.lock().insert(Arc::clone(conn) as Arc<AnyConn>);
        // Whoever was accepted while the hub began to drain.
        if self.is_draining() {
            conn.signal(crate::conn::Signal::Drain);
        }
    }

    /// Has a connection checked after some time.
    pub(crate) fn schedule(&self, conn: ConnId, after: Duration, check: Check) {
        self.0.wheel.schedule(&self.0, conn, after, check);
    }

    pub(crate) fn add_user(&self, user: &Arc<str>, conn: ConnId, limit: Option<usize>) -> Result<(), Full> {
        let mut registry = self.0.registry.lock();
        let count = registry.add_user(user, conn, limit)?;
        self.0.users.added(user, conn, count);
        Ok(())
    }

    /// A handler was pending, and so counts as running.
    pub(crate) fn handler_pending(&self) {
        self.0.running.fetch_add(1, Relaxed);
    }

    pub(crate) fn handler_ended(&self, was_dropped: bool) {
        self.0.running.fetch_sub(1, Relaxed);
        self.0.dropped.fetch_add(u64::from(was_dropped), Relaxed);
    }

    /// A handler goes on although nobody waits for it any more.
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

    /// Whether an error may be logged, with how many were not since the last one.
    pub(crate) fn may_log(&self) -> Option<u64> {
        self.0.log_limit.may_log()
    }

    /// Ends all subscriptions of a connection; there can be none after.
    pub(crate) fn disconnected<D: ?Sized>(&self, conn: &ConnInner<D>) {
        let all = conn.subscriptions.lock().end();
        for subscription in all {
            self.leave(&subscription);
        }
        let user = conn.user();
        let mut registry = self.0.registry.lock();
        if let Some(user) = user
            && let Some(left) = registry.remove_user(&user, conn.id)
        {
            self.0.users.ended(&user, conn.id, left);
        }
        let removed = registry.remove(conn.id);
        drop(registry);
        drop(removed);
        let place = conn.existing_extras().and_then(|extras| extras.place.lock().take());
        drop(place);
    }
}

impl HubInner {
    pub(crate) fn connection(&self, id: ConnId) -> Option<Arc<AnyConn>> {
        self.registry.lock().get(id).cloned()
    }
}

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
