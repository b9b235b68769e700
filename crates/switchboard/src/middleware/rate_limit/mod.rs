//! Rate limits.

mod keyed;
mod manual;
mod service;
mod state;
mod store;
mod window;

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use switchboard_core::WsError;

use self::{
    keyed::Key,
    state::{Counted, State},
    store::Store,
    window::{MAX_COUNT, Policy, Wait},
};
pub use self::{service::RateLimit, store::StoreFallback};
use super::WsRequest;
use crate::conn::ConnInner;

/// The default of [`max_keys`](RateLimitLayer::max_keys).
const DEFAULT_MAX_KEYS: usize = 100_000;

/// Limits the rate of messages per connection, user, address or key. Messages beyond the limit get
/// `RESOURCE_EXHAUSTED` with `retryAfterMs`; the connection stays open.
///
/// | limit | algorithm | guarantee |
/// |---|---|---|
/// | [`per_connection`](Self::per_connection) | sliding window | at most `max` in any period of `window`; takes 8 × `max` bytes per connection |
/// | the same with [`fixed_window`](Self::fixed_window) | fixed windows | at most `max` in each; takes 8 bytes per connection |
/// | [`per_user`](Self::per_user), [`per_ip`](Self::per_ip), [`keyed`](Self::keyed) | token bucket, for all connections together | a burst of `max`, then one message per `window / max` |
///
/// The last three are counted on this node, or on all nodes together with a [`store`](Self::store).
///
/// A layer around several handlers counts them together, unless [`by_type`](Self::by_type) is set.
/// Handlers count with [`check`](Self::check) and clear a limit with [`reset`](Self::reset).
///
/// Messages are counted before they are decoded. Unknown and malformed messages do not reach the layer;
/// [`Config::max_bad_messages`](crate::Config::max_bad_messages) limits them.
///
/// ```
/// use std::time::Duration;
///
/// use switchboard::{RateLimitLayer, WsError, WsRouter, ws_message};
///
/// #[ws_message("CHAT")]
/// struct Chat {
///     text: String,
/// }
///
/// #[ws_message("TYPING")]
/// struct Typing;
///
/// async fn chat(_: Chat) {}
/// async fn typing(_: Typing) {}
///
/// let limit = RateLimitLayer::per_connection(10, Duration::from_secs(60))
///     .exclude(["TYPING"])
///     .on_limited(|limited| {
///         WsError::resource_exhausted("Too many messages. Max 10 per minute.").with_retry_after(limited.retry_after)
///     });
/// let ws = WsRouter::<()>::new().on(chat).on(typing).layer(limit);
/// # let _ = ws;
/// ```
#[must_use]
pub struct RateLimitLayer<D> {
    settings: Arc<Settings<D>>,
    max_keys: usize,
    /// Shared by all routes, unless types are counted separately.
    state: Arc<State>,
    /// One per route, if types are counted separately.
    of_types: Arc<Mutex<Vec<Arc<State>>>>,
}

/// The settings of a limit.
struct Settings<D> {
    policy: Policy,
    by: By<D>,
    by_type: bool,
    cost: Option<Cost<D>>,
    excluded: Arc<[&'static str]>,
    refuse: Refuse,
    store: Option<Store>,
}

/// What is known of a message when it has been looked at.
enum Check {
    Done(Result<(), WsError>),
    /// A store is being asked.
    Waiting(BoxFuture<'static, Result<(), WsError>>),
}

type KeyOf<D> = Arc<dyn Fn(&WsRequest<D>) -> String + Send + Sync>;
type Cost<D> = Arc<dyn Fn(&WsRequest<D>) -> u32 + Send + Sync>;
type Refuse = Arc<dyn Fn(Limited) -> WsError + Send + Sync>;

enum By<D> {
    Connection,
    ConnectionInFixedWindows,
    User,
    Ip,
    Custom(KeyOf<D>),
}

/// A message beyond the limit: the argument of [`on_limited`](RateLimitLayer::on_limited).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limited {
    /// The time after which the message fits into the limit.
    pub retry_after: Duration,
    /// The number of messages per window.
    pub max: u32,
    /// The length of the window.
    pub window: Duration,
}

impl<D: Send + Sync + 'static> RateLimitLayer<D> {
    #[track_caller]
    fn new(max: u32, window: Duration, by: By<D>) -> Self {
        assert!((1..=MAX_COUNT).contains(&max), "a rate limit of {max} messages: it must be 1 to {MAX_COUNT}");
        assert!(!window.is_zero(), "a rate limit needs a window longer than 0");
        let window = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
        let refuse = |limited: Limited| {
            WsError::resource_exhausted("too many messages")
                .with_detail("limit", limited.max)
                .with_detail("windowMs", millis(limited.window))
                .with_retry_after(limited.retry_after)
        };
        let policy = Policy { max, window };
        let settings = Settings {
            policy,
            by,
            by_type: false,
            cost: None,
            excluded: Arc::default(),
            refuse: Arc::new(refuse),
            store: None,
        };
        let state = Arc::new(settings.state(DEFAULT_MAX_KEYS));
        Self { settings: Arc::new(settings), max_keys: DEFAULT_MAX_KEYS, state, of_types: Arc::default() }
    }

    fn settings_mut(&mut self) -> &mut Settings<D> {
        Arc::make_mut(&mut self.settings)
    }

    /// Allows each connection at most `max` messages in any period of `window`.
    ///
    /// # Panics
    ///
    /// If `max` is not 1 to 16 777 215, or `window` is 0. The other constructors do the same.
    #[track_caller]
    pub fn per_connection(max: u32, window: Duration) -> Self {
        Self::new(max, window, By::Connection)
    }

    /// Allows each [user](crate::Conn::user) a burst of `max` messages, then one per `window / max`, on all
    /// of the user's connections together. Connections without a user are counted separately.
    #[track_caller]
    pub fn per_user(max: u32, window: Duration) -> Self {
        Self::new(max, window, By::User)
    }

    /// Allows each client address a burst of `max` messages, then one per `window / max`. Behind a
    /// [trusted proxy](crate::WsRouter::trusted_proxies), the address is the one that the proxy reports. Of
    /// IPv6 addresses, the first 64 bits are compared.
    ///
    /// Addresses are known to applications served by [`switchboard::serve`](crate::serve) or with
    /// [`into_make_service_with_connect_info::<SocketAddr>()`](axum::Router::into_make_service_with_connect_info).
    /// Without them the limit cannot be enforced, so every message gets `INTERNAL`, and the log says why.
    /// In the test kit, set one with `connect().peer(…)`.
    #[track_caller]
    pub fn per_ip(max: u32, window: Duration) -> Self {
        Self::new(max, window, By::Ip)
    }

    /// Allows each key a burst of `max` messages, then one per `window / max`. `key` derives the key from
    /// the message. Keys may be long: only a hash is stored.
    #[track_caller]
    pub fn keyed<K>(max: u32, window: Duration, key: K) -> Self
    where
        K: Fn(&WsRequest<D>) -> String + Send + Sync + 'static,
    {
        Self::new(max, window, By::Custom(Arc::new(key)))
    }

    /// Counts in fixed windows instead of a sliding one. The first message after the end of a window starts
    /// the next. A window is never shorter than configured, and at most 2 ms longer.
    ///
    /// # Panics
    ///
    /// If the limit is not [`per_connection`](Self::per_connection).
    #[track_caller]
    pub fn fixed_window(mut self) -> Self {
        assert!(
            !self.settings.is_keyed(),
            "`fixed_window` is for `per_connection`: the other limits are token buckets"
        );
        self.settings_mut().by = By::ConnectionInFixedWindows;
        self
    }

    /// Counts each message type separately.
    pub fn by_type(mut self) -> Self {
        self.settings_mut().by_type = true;
        self
    }

    /// Sets how many messages one message counts as; 0 is not counted. A message that counts as more than
    /// the maximum gets `FAILED_PRECONDITION`, because it would never fit.
    pub fn cost(mut self, cost: impl Fn(&WsRequest<D>) -> u32 + Send + Sync + 'static) -> Self {
        self.settings_mut().cost = Some(Arc::new(cost));
        self
    }

    /// Excludes types from the limit, by their declared type or, in a [nested](crate::WsRouter::nest)
    /// router, by their type with the prefix.
    pub fn exclude(mut self, types: impl IntoIterator<Item = &'static str>) -> Self {
        self.settings_mut().excluded = types.into_iter().collect();
        self
    }

    /// Sets how many keys are tracked, 100 000 by default. Each takes about 150 bytes.
    ///
    /// If more keys are active within a window, the least limited key is evicted for a new one, so a client
    /// cannot reset its limit by sending under many keys. If all keys are at their limits, a new key gets
    /// one message and is then limited like the others.
    ///
    /// # Panics
    ///
    /// If the limit is [`per_connection`](Self::per_connection), which has no keys.
    #[track_caller]
    pub fn max_keys(mut self, count: usize) -> Self {
        assert!(
            self.settings.is_keyed(),
            "`max_keys` is for limits by user, address or key: `per_connection` has no keys"
        );
        self.max_keys = count;
        self.state = Arc::new(self.settings.state(count));
        self
    }

    /// Sets the error for messages beyond the limit.
    pub fn on_limited(mut self, refuse: impl Fn(Limited) -> WsError + Send + Sync + 'static) -> Self {
        self.settings_mut().refuse = Arc::new(refuse);
        self
    }

    /// Returns the state for a further route.
    fn state_of_a_route(&self) -> Arc<State> {
        if !self.settings.by_type {
            return Arc::clone(&self.state);
        }
        let state = Arc::new(self.settings.state(self.max_keys));
        self.of_types.lock().push(Arc::clone(&state));
        state
    }
}

impl<D: Send + Sync + 'static> Settings<D> {
    fn state(&self, max_keys: usize) -> State {
        State::new(self.is_keyed().then_some(max_keys))
    }

    fn is_keyed(&self) -> bool {
        !matches!(self.by, By::Connection | By::ConnectionInFixedWindows)
    }

    /// Counts a message, or refuses it.
    fn check_request(self: &Arc<Self>, state: &Arc<State>, request: &WsRequest<D>) -> Check {
        if self.excluded.contains(&request.declared_type()) || self.excluded.contains(&request.message_type()) {
            return Check::Done(Ok(()));
        }
        let cost = self.cost.as_ref().map_or(1, |cost| cost(request));
        let part = if self.by_type { request.message_type() } else { "" };
        self.check(state, cost, part, || self.counted(request.inner(), Some(request)))
    }

    fn check<'a>(
        self: &Arc<Self>,
        state: &Arc<State>,
        cost: u32,
        part: &str,
        counted: impl FnOnce() -> Result<Counted<'a>, WsError>,
    ) -> Check {
        let Some(cost) = NonZeroU32::new(cost) else { return Check::Done(Ok(())) };
        if cost.get() > self.policy.max {
            return Check::Done(Err(WsError::failed_precondition("the message counts for more than may ever be sent")
                .with_detail("limit", self.policy.max)
                .with_detail("cost", cost)));
        }
        match (counted(), &self.store) {
            (Err(error), _) => Check::Done(Err(error)),
            (Ok(Counted::Key(key)), Some(store)) if store.counts(&key) => {
                Check::Waiting(store.check(Arc::clone(self), Arc::clone(state), key, part, cost))
            }
            (Ok(counted), _) => Check::Done(self.take(state, counted, cost)),
        }
    }

    /// Counts on this node.
    fn take(&self, state: &State, counted: Counted<'_>, cost: NonZeroU32) -> Result<(), WsError> {
        state.take(self.policy, counted, cost).map_err(|Wait(wait)| self.refusal(Duration::from_nanos(wait)))
    }

    fn refusal(&self, retry_after: Duration) -> WsError {
        (self.refuse)(Limited { retry_after, max: self.policy.max, window: Duration::from_nanos(self.policy.window) })
    }

    /// Returns what is counted. A custom key needs a message; without one the connection is counted.
    fn counted<'a>(&self, conn: &'a ConnInner<D>, request: Option<&WsRequest<D>>) -> Result<Counted<'a>, WsError> {
        let by_itself = || Key::Connection(conn.id);
        Ok(Counted::Key(match &self.by {
            By::Connection => return Ok(Counted::Sliding(&conn.cold().layer_state)),
            By::ConnectionInFixedWindows => return Ok(Counted::Fixed(&conn.cold().layer_state)),
            By::User => conn.user().map_or_else(by_itself, Key::User),
            By::Ip => Key::of_ip(conn.client_ip().ok_or_else(no_address)?),
            By::Custom(key) => request.map_or_else(by_itself, |request| Key::Custom(key(request).into())),
        }))
    }
}

fn no_address() -> WsError {
    WsError::internal(
        "`RateLimitLayer::per_ip` needs the peers' addresses: \
         serve with `switchboard::serve`, or `into_make_service_with_connect_info::<SocketAddr>()`",
    )
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl<D> Clone for Settings<D> {
    fn clone(&self) -> Self {
        Self {
            policy: self.policy,
            by: self.by.clone(),
            by_type: self.by_type,
            cost: self.cost.clone(),
            excluded: Arc::clone(&self.excluded),
            refuse: Arc::clone(&self.refuse),
            store: self.store.clone(),
        }
    }
}

impl<D> Clone for By<D> {
    fn clone(&self) -> Self {
        match self {
            Self::Connection => Self::Connection,
            Self::ConnectionInFixedWindows => Self::ConnectionInFixedWindows,
            Self::User => Self::User,
            Self::Ip => Self::Ip,
            Self::Custom(key) => Self::Custom(Arc::clone(key)),
        }
    }
}

impl<D> Clone for RateLimitLayer<D> {
    fn clone(&self) -> Self {
        Self {
            settings: Arc::clone(&self.settings),
            max_keys: self.max_keys,
            state: Arc::clone(&self.state),
            of_types: Arc::clone(&self.of_types),
        }
    }
}

impl<D> fmt::Debug for RateLimitLayer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitLayer").field("policy", &self.settings.policy).finish_non_exhaustive()
    }
}
