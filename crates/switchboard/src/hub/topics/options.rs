//! The rules of topics whose names begin alike.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use switchboard_core::{Message, WsError};

use crate::{
    conn::ConnRef,
    hub::{
        Filter,
        topics::{Authorizer, ConflationKey},
    },
};

/// What becomes of messages for a member that does not read as fast as they are published, once its
/// queue is full ([`Config::max_outbound_bytes`](crate::Config::max_outbound_bytes)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SlowConsumer {
    /// It is closed with 4002.
    #[default]
    Disconnect,
    /// The topic's oldest messages that wait are dropped, or the new one if none does. Clients of
    /// the extended dialect get `$ws:gap` with the topic where the first of them stood.
    DropOldest,
}

/// The rules of topics: who may subscribe and publish, how many, which members get what, and what
/// becomes of those that read too slowly.
///
/// They are set for a pattern of names at [`HubBuilder::topic`](crate::HubBuilder::topic). Without
/// any, topics have none of this and cost nothing for it.
///
/// | rule | default |
/// |---|---|
/// | [`allow_names`](Self::allow_names) | all that are valid |
/// | [`authorize_subscribe`](Self::authorize_subscribe), [`authorize_publish`](Self::authorize_publish) | handlers decide |
/// | [`authorize_timeout`](Self::authorize_timeout) | 5 s |
/// | [`max_members`](Self::max_members) | no limit |
/// | [`max_per_connection`](Self::max_per_connection) | [`Config::max_subscriptions`](crate::Config::max_subscriptions) |
/// | [`filter`](Self::filter) | members get everything |
/// | [`no_self_delivery`](Self::no_self_delivery) | publishers that are members get their own |
/// | [`slow_consumer`](Self::slow_consumer) | close 4002 |
/// | [`conflate_by`](Self::conflate_by) | all messages are kept |
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

type NameRule = Arc<dyn Fn(&str) -> bool + Send + Sync>;

impl Default for TopicOptions {
    fn default() -> Self {
        Self {
            names: None,
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
    /// No rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which names there may be, of those that are valid: others are `INVALID_ARGUMENT` to
    /// subscribe and to publish to.
    pub fn allow_names(mut self, rule: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.names = Some(Arc::new(rule));
        self
    }

    /// Decides who may subscribe. Asked once for each subscription, before quotas, and again by
    /// [`Hub::reauthorize_topic`](crate::Hub::reauthorize_topic). A rule that panics refuses.
    pub fn authorize_subscribe<F, Fut, E>(mut self, rule: F) -> Self
    where
        F: FnOnce(ConnRef, Arc<str>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<WsError>,
    {
        self.subscribe = Some(Authorizer::new(rule));
        self
    }

    /// Decides which connections may publish. Asked for each publish by a connection; a hub's own
    /// are not asked about.
    pub fn authorize_publish<F, Fut, E>(mut self, rule: F) -> Self
    where
        F: FnOnce(ConnRef, Arc<str>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<WsError>,
    {
        self.publish = Some(Authorizer::new(rule));
        self
    }

    /// How long an authorisation may take. Beyond it the answer is no: `UNAVAILABLE`. For
    /// [`reauthorize_topic`](crate::Hub::reauthorize_topic) it is 900 ms where this is more.
    pub fn authorize_timeout(mut self, limit: Duration) -> Self {
        self.authorize_timeout = limit;
        self
    }

    /// How many members one of these topics may have.
    pub fn max_members(mut self, limit: usize) -> Self {
        self.max_members = Some(limit);
        self
    }

    /// To how many of these topics one connection may be subscribed.
    pub fn max_per_connection(mut self, limit: usize) -> Self {
        self.max_per_connection = Some(limit);
        self
    }

    /// Which members get a message of one type. Several filters must all let it through; messages
    /// of other types pass. It runs for each message and member, so it should be quick and must not
    /// wait; a member for which it panics gets nothing.
    pub fn filter<M: Message>(mut self, rule: impl Fn(&ConnRef, &M) -> bool + Send + Sync + 'static) -> Self {
        self.filters.push(Filter::new(rule));
        self
    }

    /// Connections do not get what they publish themselves.
    pub fn no_self_delivery(mut self) -> Self {
        self.no_self_delivery = true;
        self
    }

    /// What becomes of a member that reads too slowly.
    pub fn slow_consumer(mut self, policy: SlowConsumer) -> Self {
        self.slow_consumer = policy;
        self
    }

    /// Of the messages of one type that wait for a member, only the latest with the same key is
    /// kept: prices, positions, presence. Where this leaves too much, or messages of other types do,
    /// [`slow_consumer`](Self::slow_consumer) decides.
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
