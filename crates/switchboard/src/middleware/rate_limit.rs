//! How often messages may come.

mod keyed;
mod manual;
mod service;
mod state;
mod window;

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use parking_lot::Mutex;
use switchboard_core::WsError;

pub use self::service::RateLimit;
use self::{
    keyed::Key,
    state::{Counted, State},
    window::{MAX_COUNT, Policy, Wait},
};
use super::WsRequest;
use crate::conn::ConnInner;

/// How many keys a limit by key holds unless [`max_keys`](RateLimitLayer::max_keys) says otherwise.
const DEFAULT_MAX_KEYS: usize = 100_000;

/// Limits how many messages come in some time: of each connection, user or address, or by a key of
/// your own. What comes too often gets `RESOURCE_EXHAUSTED` with `retryAfterMs`; the connection stays.
///
/// | limit | counts | exactly |
/// |---|---|---|
/// | [`per_connection`](Self::per_connection) | in a window that slides | never more than `max` in any time as long as `window`; 8 bytes per message of `max` and connection |
/// | the same with [`fixed_window`](Self::fixed_window) | in windows one after the other | at most `max` in each; 8 bytes per connection |
/// | [`per_user`](Self::per_user), [`per_ip`](Self::per_ip), [`keyed`](Self::keyed) | in a token bucket, over all connections | `max` at once, then one for each `max`th part of the window |
///
/// One layer around several routes counts them together, unless [`by_type`](Self::by_type) is set.
/// What a handler counts itself, and what makes a limit forget, is in [`check`](Self::check) and
/// [`reset`](Self::reset).
///
/// Messages are counted before they are decoded. Unknown and malformed ones have a limit of their own:
/// [`Config::max_bad_messages`](crate::Config::max_bad_messages).
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
///         WsError::resource_exhausted("Too many messages. Max 10 per minute.").with_retry_after_ms(limited.retry_after_ms())
///     });
/// let ws = WsRouter::<()>::new().on(chat).on(typing).layer(limit);
/// # let _ = ws;
/// ```
#[must_use]
pub struct RateLimitLayer<D> {
    settings: Settings<D>,
    max_keys: usize,
    by_type: bool,
    /// Shared by all routes, unless each type counts by itself.
    state: Arc<State>,
    /// Those of the types, if each counts by itself: as many as there are routes in the layer.
    of_types: Arc<Mutex<Vec<Arc<State>>>>,
}

/// What a limit is set to.
struct Settings<D> {
    policy: Policy,
    by: By<D>,
    cost: Option<Cost<D>>,
    excluded: Arc<[&'static str]>,
    refuse: Refuse,
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

/// A message that came too soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limited {
    /// After so long it may be sent.
    pub retry_after: Duration,
    /// How many may come in the window.
    pub max: u32,
    /// In how much time.
    pub window: Duration,
}

impl Limited {
    /// [`retry_after`](Self::retry_after) as it goes over the wire: in milliseconds, rounded up.
    #[must_use]
    pub fn retry_after_ms(&self) -> u64 {
        millis(self.retry_after + Duration::from_nanos(999_999)).max(1)
    }
}

impl<D: Send + Sync + 'static> RateLimitLayer<D> {
    #[track_caller]
    fn new(max: u32, window: Duration, by: By<D>) -> Self {
        assert!((1..=MAX_COUNT).contains(&max), "a rate limit of {max} messages: it can be 1 to {MAX_COUNT}");
        assert!(!window.is_zero(), "a rate limit needs a window that is longer than nothing");
        let window = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
        let refuse = |limited: Limited| {
            WsError::resource_exhausted("too many messages")
                .with_detail("limit", limited.max)
                .with_detail("windowMs", millis(limited.window))
                .with_retry_after_ms(limited.retry_after_ms())
        };
        let policy = Policy { max, window };
        let settings = Settings { policy, by, cost: None, excluded: Arc::default(), refuse: Arc::new(refuse) };
        let state = Arc::new(settings.state(DEFAULT_MAX_KEYS));
        Self { settings, max_keys: DEFAULT_MAX_KEYS, by_type: false, state, of_types: Arc::default() }
    }

    /// At most `max` messages (1 to 16 777 215) of each connection in any time as long as `window`.
    ///
    /// # Panics
    ///
    /// If `max` or `window` is 0, or `max` is more than said: so do the others.
    #[track_caller]
    pub fn per_connection(max: u32, window: Duration) -> Self {
        Self::new(max, window, By::Connection)
    }

    /// At most `max` messages at once of each [user](crate::Conn::user), then one for each `max`th part
    /// of `window`: on all of the user's connections together. Connections without one count by
    /// themselves.
    #[track_caller]
    pub fn per_user(max: u32, window: Duration) -> Self {
        Self::new(max, window, By::User)
    }

    /// The same for each client address: behind a proxy that is one of the
    /// [trusted proxies](crate::WsRouter::trusted_proxies), the one that it tells. Of IPv6 addresses the
    /// first 64 bits count.
    ///
    /// Addresses are known to applications that serve with [`switchboard::serve`](crate::serve) or with
    /// [`into_make_service_with_connect_info::<SocketAddr>()`](axum::Router::into_make_service_with_connect_info).
    /// Where they are not, each message gets `INTERNAL`, and the log says why: a limit that cannot be kept
    /// must not be thought to be. In tests with the test kit, `connect().peer(…)` gives one.
    #[track_caller]
    pub fn per_ip(max: u32, window: Duration) -> Self {
        Self::new(max, window, By::Ip)
    }

    /// The same by a key that is made of the message. Of a key only a hash is kept, so that it may be long.
    #[track_caller]
    pub fn keyed<K>(max: u32, window: Duration, key: K) -> Self
    where
        K: Fn(&WsRequest<D>) -> String + Send + Sync + 'static,
    {
        Self::new(max, window, By::Custom(Arc::new(key)))
    }

    /// Counts in windows one after the other instead of one that slides: the first message after the
    /// end of one begins the next. One is up to 2 ms longer than was said, never shorter.
    ///
    /// # Panics
    ///
    /// If the limit is not [`per_connection`](Self::per_connection): the others are token buckets.
    #[track_caller]
    pub fn fixed_window(mut self) -> Self {
        assert!(
            !self.settings.is_keyed(),
            "`fixed_window` is for `per_connection`: the other limits are token buckets"
        );
        self.settings.by = By::ConnectionInFixedWindows;
        self
    }

    /// Counts each type of message by itself.
    pub fn by_type(mut self) -> Self {
        self.by_type = true;
        self
    }

    /// How many messages one counts for; 0 is not counted. One that counts for more than the maximum can
    /// never be sent and gets `FAILED_PRECONDITION`.
    pub fn cost(mut self, cost: impl Fn(&WsRequest<D>) -> u32 + Send + Sync + 'static) -> Self {
        self.settings.cost = Some(Arc::new(cost));
        self
    }

    /// Types that do not count: as they are declared, or as they are where a router is
    /// [nested](crate::WsRouter::nest).
    pub fn exclude(mut self, types: impl IntoIterator<Item = &'static str>) -> Self {
        self.settings.excluded = types.into_iter().collect();
        self
    }

    /// How many keys are remembered at the same time, 100 000 by default; each costs about 150 bytes.
    ///
    /// While more come within a window, the key that is least limited is forgotten for a new one, so that
    /// a limit is not escaped by sending under many others. Where all are at their limits, a new key has
    /// one message and then is limited as they are.
    ///
    /// # Panics
    ///
    /// If the limit is [`per_connection`](Self::per_connection), which has no keys.
    #[track_caller]
    pub fn max_keys(mut self, count: usize) -> Self {
        assert!(
            self.settings.is_keyed(),
            "`max_keys` is for limits by user, address or key: connections keep their own"
        );
        self.max_keys = count;
        self.state = Arc::new(self.settings.state(count));
        self
    }

    /// The error for what comes too soon.
    pub fn on_limited(mut self, refuse: impl Fn(Limited) -> WsError + Send + Sync + 'static) -> Self {
        self.settings.refuse = Arc::new(refuse);
        self
    }

    /// Where one more route counts.
    fn state_of_a_route(&self) -> Arc<State> {
        if !self.by_type {
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

    /// Whether a message may be handled now.
    fn check_request(&self, state: &State, request: &WsRequest<D>) -> Result<(), WsError> {
        if self.excluded.contains(&request.declared_type()) || self.excluded.contains(&request.message_type()) {
            return Ok(());
        }
        let cost = self.cost.as_ref().map_or(1, |cost| cost(request));
        self.check(state, cost, || self.counted(request.inner(), Some(request)))
    }

    fn check<'a>(
        &self,
        state: &State,
        cost: u32,
        counted: impl FnOnce() -> Result<Counted<'a>, WsError>,
    ) -> Result<(), WsError> {
        let Some(cost) = NonZeroU32::new(cost) else { return Ok(()) };
        if cost.get() > self.policy.max {
            return Err(WsError::failed_precondition("the message counts for more than may ever be sent")
                .with_detail("limit", self.policy.max)
                .with_detail("cost", cost));
        }
        let window = Duration::from_nanos(self.policy.window);
        state.take(self.policy, counted()?, cost).map_err(|Wait(wait)| {
            (self.refuse)(Limited { retry_after: Duration::from_nanos(wait), max: self.policy.max, window })
        })
    }

    /// For whom something counts; keys of the application's own are made of a message.
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
            cost: self.cost.clone(),
            excluded: Arc::clone(&self.excluded),
            refuse: Arc::clone(&self.refuse),
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
            settings: self.settings.clone(),
            max_keys: self.max_keys,
            by_type: self.by_type,
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
