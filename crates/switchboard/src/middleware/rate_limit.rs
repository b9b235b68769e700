//! How often messages may come.

mod keyed;
mod window;

use std::{
    fmt,
    num::NonZeroU32,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use switchboard_core::WsError;
use tokio::time::Instant;
use tower::{Layer, Service};

use self::{
    keyed::{Key, Keyed},
    window::{Fixed, MAX_COUNT, Policy, Sliding, Wait},
};
use super::{CheckedFuture, WsReply, WsRequest};
use crate::conn::SlotKey;

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

/// What is counted so far.
struct State {
    /// Where connections keep theirs.
    slot: SlotKey,
    keyed: Option<Keyed>,
    since: Instant,
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
    fn new(max: u32, window: Duration, by: By<D>) -> Self {
        let window = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
        let refuse = |limited: Limited| {
            WsError::resource_exhausted("too many messages")
                .with_detail("limit", limited.max)
                .with_detail("windowMs", millis(limited.window))
                .with_retry_after_ms(limited.retry_after_ms())
        };
        let policy = Policy { max: max.clamp(1, MAX_COUNT), window };
        let state = Arc::new(State::new(&by, DEFAULT_MAX_KEYS));
        let settings = Settings { policy, by, cost: None, excluded: Arc::default(), refuse: Arc::new(refuse) };
        Self { settings, max_keys: DEFAULT_MAX_KEYS, by_type: false, state }
    }

    /// At most `max` messages (1 to 16 777 215) of each connection in any time as long as `window`.
    pub fn per_connection(max: u32, window: Duration) -> Self {
        Self::new(max, window, By::Connection)
    }

    /// At most `max` messages at once of each [user](crate::Conn::user), then one for each `max`th part
    /// of `window`: on all of the user's connections together. Connections without one count by
    /// themselves.
    pub fn per_user(max: u32, window: Duration) -> Self {
        Self::new(max, window, By::User)
    }

    /// The same for each client address: behind a proxy that is one of the
    /// [trusted proxies](crate::WsRouter::trusted_proxies), the one that it tells. Of IPv6 addresses the
    /// first 64 bits count.
    pub fn per_ip(max: u32, window: Duration) -> Self {
        Self::new(max, window, By::Ip)
    }

    /// The same by a key that is made of the message.
    pub fn keyed<K>(max: u32, window: Duration, key: K) -> Self
    where
        K: Fn(&WsRequest<D>) -> String + Send + Sync + 'static,
    {
        Self::new(max, window, By::Custom(Arc::new(key)))
    }

    /// Counts in windows one after the other instead of one that slides: the first message after the
    /// end of one begins the next. Only for [`per_connection`](Self::per_connection).
    pub fn fixed_window(mut self) -> Self {
        if matches!(self.settings.by, By::Connection) {
            self.settings.by = By::ConnectionInFixedWindows;
        }
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

    /// Types that do not count.
    pub fn exclude(mut self, types: impl IntoIterator<Item = &'static str>) -> Self {
        self.settings.excluded = types.into_iter().collect();
        self
    }

    /// How many keys are remembered at the same time, 100 000 by default, rounded up to a multiple of
    /// 16. While there are more that came within a window, new ones get the error.
    pub fn max_keys(mut self, count: usize) -> Self {
        self.max_keys = count;
        self.state = Arc::new(self.new_state());
        self
    }

    /// The error for what comes too soon.
    pub fn on_limited(mut self, refuse: impl Fn(Limited) -> WsError + Send + Sync + 'static) -> Self {
        self.settings.refuse = Arc::new(refuse);
        self
    }

    fn new_state(&self) -> State {
        State::new(&self.settings.by, self.max_keys)
    }
}

impl State {
    fn new<D>(by: &By<D>, max_keys: usize) -> Self {
        let is_keyed = !matches!(by, By::Connection | By::ConnectionInFixedWindows);
        Self { slot: SlotKey::new(), keyed: is_keyed.then(|| Keyed::new(max_keys)), since: Instant::now() }
    }

    fn now(&self) -> u64 {
        // Not 0, which stands for never.
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

impl<D: Send + Sync + 'static> Settings<D> {
    /// Whether a message may be handled now.
    fn check(&self, state: &State, request: &WsRequest<D>) -> Result<(), WsError> {
        if self.excluded.contains(&request.message_type()) {
            return Ok(());
        }
        let cost = self.cost.as_ref().map_or(1, |cost| cost(request));
        let Some(cost) = NonZeroU32::new(cost) else { return Ok(()) };
        if cost.get() > self.policy.max {
            return Err(WsError::failed_precondition("the message counts for more than may ever be sent")
                .with_detail("limit", self.policy.max)
                .with_detail("cost", cost));
        }
        let window = Duration::from_nanos(self.policy.window);
        self.take(state, request, cost).map_err(|Wait(wait)| {
            (self.refuse)(Limited { retry_after: Duration::from_nanos(wait), max: self.policy.max, window })
        })
    }

    fn take(&self, state: &State, request: &WsRequest<D>, cost: NonZeroU32) -> Result<(), Wait> {
        let (conn, now) = (request.inner(), state.now());
        let slots = || &conn.extras().slots;
        let key = match &self.by {
            By::Connection => {
                let sliding = slots().get(state.slot, || Sliding::new(self.policy));
                return sliding.map_or(Ok(()), |sliding| sliding.take(self.policy, now, cost.get()));
            }
            By::ConnectionInFixedWindows => {
                let fixed = slots().get(state.slot, Fixed::default);
                return fixed.map_or(Ok(()), |fixed| fixed.take(self.policy, now, cost.get()));
            }
            By::User => conn.user().map_or(Key::Connection(conn.id), Key::User),
            By::Ip => conn.client_ip().map_or(Key::Connection(conn.id), Key::of_ip),
            By::Custom(key) => Key::Custom(key(request).into()),
        };
        state.keyed.as_ref().map_or(Ok(()), |keyed| keyed.take(self.policy, key, now, cost))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl<D, S> Layer<S> for RateLimitLayer<D>
where
    D: Send + Sync + 'static,
{
    type Service = RateLimit<D, S>;

    fn layer(&self, inner: S) -> RateLimit<D, S> {
        let state = if self.by_type { Arc::new(self.new_state()) } else { Arc::clone(&self.state) };
        RateLimit { settings: Arc::new(self.settings.clone()), state, inner }
    }
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
        }
    }
}

impl<D> fmt::Debug for RateLimitLayer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitLayer").field("policy", &self.settings.policy).finish_non_exhaustive()
    }
}

/// The service of [`RateLimitLayer`].
pub struct RateLimit<D, S> {
    settings: Arc<Settings<D>>,
    state: Arc<State>,
    inner: S,
}

impl<D, S: Clone> Clone for RateLimit<D, S> {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings), state: Arc::clone(&self.state), inner: self.inner.clone() }
    }
}

impl<D, S> Service<WsRequest<D>> for RateLimit<D, S>
where
    D: Send + Sync + 'static,
    S: Service<WsRequest<D>, Response = WsReply>,
    S::Error: From<WsError>,
{
    type Response = WsReply;
    type Error = S::Error;
    type Future = CheckedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: WsRequest<D>) -> CheckedFuture<S::Future> {
        match self.settings.check(&self.state, &request) {
            Ok(()) => CheckedFuture::passed(self.inner.call(request)),
            Err(error) => CheckedFuture::refused(error),
        }
    }
}

impl<D, S> fmt::Debug for RateLimit<D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("policy", &self.settings.policy).finish_non_exhaustive()
    }
}
