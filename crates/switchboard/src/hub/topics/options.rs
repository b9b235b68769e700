//! The options of topics.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use switchboard_core::{Message, WsError, contract::ContractBuilder};

use crate::{
    conn::ConnRef,
    hub::{
        Filter,
        topics::{Authorizer, ConflationKey},
    },
};

/// The policy for slow consumers: what happens when the queue of a subscriber is full
/// ([`Config::max_outbound_bytes`](crate::Config::max_outbound_bytes)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SlowConsumer {
    /// Closes the connection with 4002.
    #[default]
    Disconnect,
    /// Drops the topic's oldest queued messages, or the new one if none is queued. Clients of the
    /// extended dialect receive a `$ws:gap` with the topic in place of the first dropped message.
    DropOldest,
}

/// The rules of topics that match a pattern: authorization, limits, filters, conflation and slow
/// consumers. Set with [`HubBuilder::topic`](crate::HubBuilder::topic).
///
/// Topics without rules do not pay for them.
///
/// | rule | default |
/// |---|---|
/// | [`allow_names`](Self::allow_names) | all valid names |
/// | [`allow_subscribe`](Self::allow_subscribe) | only handlers subscribe connections |
/// | [`carries`](Self::carries) | messages of any type |
/// | [`authorize_subscribe`](Self::authorize_subscribe), [`authorize_publish`](Self::authorize_publish) | no check: handlers decide |
/// | [`authorize_timeout`](Self::authorize_timeout) | 5 s |
/// | [`max_members`](Self::max_members) | no limit |
/// | [`max_per_connection`](Self::max_per_connection) | [`Config::max_subscriptions`](crate::Config::max_subscriptions) |
/// | [`filter`](Self::filter) | subscribers receive all messages |
/// | [`no_self_delivery`](Self::no_self_delivery) | subscribed publishers receive their own messages |
/// | [`slow_consumer`](Self::slow_consumer) | close with 4002 |
/// | [`conflate_by`](Self::conflate_by) | no conflation |
///
/// ```
/// use switchboard::{Hub, TopicOptions, WsError, ws_message};
///
/// #[ws_message("PRICE")]
/// struct Price {
///     symbol: String,
///     price: f64,
/// }
///
/// struct User {
///     may_trade: bool,
/// }
///
/// let prices = TopicOptions::new()
///     .authorize_subscribe(async |member, _topic| match member.data::<User>() {
///         Some(user) if user.may_trade => Ok(()),
///         _ => Err(WsError::permission_denied("prices are for traders")),
///     })
///     .max_members(10_000)
///     .conflate_by(|price: &Price| price.symbol.clone());
/// let hub = Hub::builder().topic("prices:*", prices).build();
/// # let _ = hub;
/// ```
#[derive(Clone)]
#[must_use]
pub struct TopicOptions {
    pub(crate) names: Option<NameRule>,
    pub(crate) allows_clients: bool,
    pub(crate) carried: Vec<Carried>,
    pub(crate) subscribe: Option<Authorizer>,
    pub(crate) publish: Option<Authorizer>,
    pub(crate) authorize_timeout: Duration,
    pub(crate) max_members: Option<usize>,
    pub(crate) max_per_connection: Option<usize>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) no_self_delivery: bool,
    pub(crate) slow_consumer: SlowConsumer,
    pub(crate) keys: Vec<ConflationKey>,
}

/// A type of messages that is published to a topic.
#[derive(Clone, Copy)]
pub(crate) struct Carried {
    pub(crate) message_type: &'static str,
    /// Adds it to a contract.
    pub(crate) describe: fn(&mut ContractBuilder),
}

type NameRule = Arc<dyn Fn(&str) -> bool + Send + Sync>;

impl Default for TopicOptions {
    fn default() -> Self {
        Self {
            names: None,
            allows_clients: false,
            carried: Vec::new(),
            subscribe: None,
            publish: None,
            authorize_timeout: Duration::from_secs(5),
            max_members: None,
            max_per_connection: None,
            filters: Vec::new(),
            no_self_delivery: false,
            slow_consumer: SlowConsumer::Disconnect,
            keys: Vec::new(),
        }
    }
}

impl TopicOptions {
    /// Creates options without rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Restricts the valid names. Subscribing or publishing to other names fails with
    /// `INVALID_ARGUMENT`.
    pub fn allow_names(mut self, rule: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.names = Some(Arc::new(rule));
        self
    }

    /// Lets clients subscribe and unsubscribe by themselves, with `$ws:subscribe` and `$ws:unsubscribe`.
    /// Off by default: such requests are refused with `PERMISSION_DENIED`.
    ///
    /// The same rules, authorization and limits apply as to [`Conn::subscribe`](crate::Conn::subscribe).
    /// Layers do not see these requests; [`Config::max_unhandled_messages`] limits their rate. If the
    /// route has an [`identify_timeout`](crate::Config::identify_timeout), they are refused before the
    /// connection is identified. A client cannot unsubscribe from topics without this option.
    ///
    /// Clients need the extended dialect: they connect with the subprotocol `switchboard.v1.json` and
    /// send `{"type":"$ws:subscribe","meta":{"correlationId":"1"},"payload":{"topic":"prices:gold"}}`.
    ///
    /// [`Config::max_unhandled_messages`]: crate::Config::max_unhandled_messages
    ///
    /// ```
    /// use switchboard::{Hub, TopicOptions, ws_message};
    ///
    /// #[ws_message("PRICE")]
    /// struct Price {
    ///     symbol: String,
    ///     price: f64,
    /// }
    ///
    /// let hub = Hub::builder().topic("prices:*", TopicOptions::new().allow_subscribe().carries::<Price>()).build();
    /// # let _ = hub;
    /// ```
    pub fn allow_subscribe(mut self) -> Self {
        self.allows_clients = true;
        self
    }

    /// Declares a type of the messages that are published to the topics. It becomes part of the
    /// contract of topics that clients may subscribe to. A publish of another type is logged once as a
    /// warning, if any type is declared, and goes through.
    pub fn carries<M: Message>(mut self) -> Self {
        self.carried.push(Carried { message_type: M::TYPE, describe: ContractBuilder::sends::<M> });
        self
    }

    /// Authorises subscriptions. Runs once for each subscription, before limits are checked, and
    /// again for [`TopicHandle::reauthorize`](crate::TopicHandle::reauthorize). A rule that panics
    /// refuses.
    pub fn authorize_subscribe<F, Fut, E>(mut self, rule: F) -> Self
    where
        F: FnOnce(ConnRef, Arc<str>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<WsError>,
    {
        self.subscribe = Some(Authorizer::new(rule));
        self
    }

    /// Authorises publishes by connections. Runs for each publish by a
    /// [`Conn`](crate::Conn::publish), but not for those by a [`Hub`](crate::Hub::publish). A rule
    /// that panics refuses.
    pub fn authorize_publish<F, Fut, E>(mut self, rule: F) -> Self
    where
        F: FnOnce(ConnRef, Arc<str>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<WsError>,
    {
        self.publish = Some(Authorizer::new(rule));
        self
    }

    /// Sets the deadline of an authorization. After it, the operation fails with `UNAVAILABLE`. 5 s
    /// by default; at most 900 ms in [`TopicHandle::reauthorize`](crate::TopicHandle::reauthorize).
    pub fn authorize_timeout(mut self, limit: Duration) -> Self {
        self.authorize_timeout = limit;
        self
    }

    /// Limits the subscribers of each topic.
    pub fn max_members(mut self, limit: usize) -> Self {
        self.max_members = Some(limit);
        self
    }

    /// Limits the topics of the pattern that one connection may be subscribed to.
    pub fn max_per_connection(mut self, limit: usize) -> Self {
        self.max_per_connection = Some(limit);
        self
    }

    /// Filters the messages of one type for each subscriber. Messages of other types pass; of
    /// several filters, all must return `true`.
    ///
    /// The filter runs for each message and subscriber, so it must be fast and must not block. If
    /// it panics, the subscriber does not receive the message.
    pub fn filter<M: Message>(mut self, rule: impl Fn(&ConnRef, &M) -> bool + Send + Sync + 'static) -> Self {
        self.filters.push(Filter::new(rule));
        self
    }

    /// Excludes publishers from receiving their own messages.
    pub fn no_self_delivery(mut self) -> Self {
        self.no_self_delivery = true;
        self
    }

    /// Sets the policy for slow consumers.
    pub fn slow_consumer(mut self, policy: SlowConsumer) -> Self {
        self.slow_consumer = policy;
        self
    }

    /// Conflates messages of one type: in a subscriber's queue, a newer message replaces
    /// the one with the same key. Use it for state, such as prices, positions or presence.
    ///
    /// If the queue still overflows, [`slow_consumer`](Self::slow_consumer) applies.
    pub fn conflate_by<M: Message, K: ToString>(mut self, key: impl Fn(&M) -> K + Send + Sync + 'static) -> Self {
        self.keys.push(ConflationKey::new(key));
        self
    }
}

impl fmt::Debug for TopicOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicOptions")
            .field("authorize_timeout", &self.authorize_timeout)
            .field("max_members", &self.max_members)
            .field("max_per_connection", &self.max_per_connection)
            .field("no_self_delivery", &self.no_self_delivery)
            .field("slow_consumer", &self.slow_consumer)
            .finish_non_exhaustive()
    }
}
