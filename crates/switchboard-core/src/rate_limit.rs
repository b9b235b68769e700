//! Where limits by key are counted: a trait for stores that several nodes share.
//!
//! `RateLimitLayer` of the crate `switchboard` counts on its own node, or in a [`RateLimitStore`]. `RedisRateLimit` of the
//! crate `switchboard-redis` is one.

use std::{borrow::Cow, error::Error, fmt, future::Future, num::NonZeroU32, pin::Pin, sync::Arc, time::Duration};

use crate::BoxError;

/// What the methods of a [`RateLimitStore`] return.
pub type RateLimitFuture<T> = Pin<Box<dyn Future<Output = Result<T, RateLimitStoreError>> + Send>>;

/// Token buckets that several nodes share.
///
/// A bucket holds [`max`](RateLimitBucket::max) tokens at first, and gets one back every `window / max`, up to `max`. So a
/// key may send a burst of `max`, and then one message per `window / max`: no more than `2 × max` in any window.
///
/// # For stores
///
/// - **A denied attempt takes nothing**, and does not delay the next token: a client that retries all the time is allowed as
///   much as one that waits.
/// - **Taking is atomic**, also when many nodes do it at once.
/// - **Time is the store's**, because the clocks of nodes differ.
/// - **Buckets vanish** when they are full again, which is after a window at most.
/// - **Each future ends**, within a time that the store's settings name. Handlers wait for it.
///
/// ```
/// use std::{
///     collections::HashMap,
///     num::NonZeroU32,
///     sync::Mutex,
///     time::{Duration, Instant},
/// };
///
/// use switchboard_core::rate_limit::{RateLimitBucket, RateLimitFuture, RateLimitOutcome, RateLimitStore};
///
/// /// A store for tests, which forgets nothing.
/// #[derive(Debug, Default)]
/// struct InMemory(Mutex<HashMap<(String, String), Instant>>);
///
/// impl RateLimitStore for InMemory {
///     fn take(&self, bucket: RateLimitBucket<'_>, cost: NonZeroU32) -> RateLimitFuture<RateLimitOutcome> {
///         let token = bucket.window / bucket.max.get();
///         let now = Instant::now();
///         let mut full_at = self.0.lock().unwrap();
///         let full_at = full_at.entry((bucket.key.to_owned(), bucket.part.to_owned())).or_insert(now);
///         let next = now.max(*full_at) + token * cost.get();
///         let too_early = next.saturating_duration_since(now + token * bucket.max.get());
///         let outcome = if too_early.is_zero() {
///             *full_at = next;
///             RateLimitOutcome::Allowed
///         } else {
///             RateLimitOutcome::Denied { retry_after: too_early }
///         };
///         Box::pin(async move { Ok(outcome) })
///     }
///
///     fn reset(&self, key: &str) -> RateLimitFuture<()> {
///         self.0.lock().unwrap().retain(|(of, _), _| of != key);
///         Box::pin(async { Ok(()) })
///     }
/// }
/// # let store = InMemory::default();
/// # let bucket = || RateLimitBucket::new("a", NonZeroU32::MIN, Duration::from_secs(60));
/// # let take = || futures_util::FutureExt::now_or_never(store.take(bucket(), NonZeroU32::MIN)).unwrap().unwrap();
/// # assert!(take() == RateLimitOutcome::Allowed && take() != RateLimitOutcome::Allowed);
/// ```
pub trait RateLimitStore: fmt::Debug + Send + Sync + 'static {
    /// Takes `cost` tokens out of a bucket if there are as many, and nothing otherwise. `cost` is at most `bucket.max`.
    ///
    /// The attempt begins when this is called. If the future is dropped, the tokens may be taken all the same.
    ///
    /// # Errors
    ///
    /// If the store could not decide in time. The tokens may be taken.
    fn take(&self, bucket: RateLimitBucket<'_>, cost: NonZeroU32) -> RateLimitFuture<RateLimitOutcome>;

    /// Fills the buckets of a key, those of all its [parts](RateLimitBucket::part).
    ///
    /// # Errors
    ///
    /// If the store did not answer in time. The buckets may be full.
    fn reset(&self, key: &str) -> RateLimitFuture<()>;
}

impl<S: RateLimitStore + ?Sized> RateLimitStore for Arc<S> {
    fn take(&self, bucket: RateLimitBucket<'_>, cost: NonZeroU32) -> RateLimitFuture<RateLimitOutcome> {
        (**self).take(bucket, cost)
    }

    fn reset(&self, key: &str) -> RateLimitFuture<()> {
        (**self).reset(key)
    }
}

/// A bucket, by its key and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitBucket<'a> {
    /// Whose bucket this is. May be long, and contain any characters.
    pub key: &'a str,
    /// Which bucket of the key, such as a type of messages. Empty if the key has one.
    pub part: &'a str,
    /// How many tokens it holds.
    pub max: NonZeroU32,
    /// In what time an empty bucket is full again.
    pub window: Duration,
}

impl<'a> RateLimitBucket<'a> {
    /// The only bucket of a key.
    #[must_use]
    pub fn new(key: &'a str, max: NonZeroU32, window: Duration) -> Self {
        Self { key, part: "", max, window }
    }

    /// One of several buckets of the key.
    #[must_use]
    pub fn part(self, part: &'a str) -> Self {
        Self { part, ..self }
    }
}

/// The answer of a [`RateLimitStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RateLimitOutcome {
    /// The tokens were taken.
    Allowed,
    /// Nothing was taken.
    Denied {
        /// After what time there are enough tokens, if nobody else takes them.
        retry_after: Duration,
    },
}

/// Why a [`RateLimitStore`] has no answer.
#[derive(Debug)]
pub struct RateLimitStoreError {
    detail: Cow<'static, str>,
    source: Option<BoxError>,
}

impl RateLimitStoreError {
    /// Creates an error. `detail` is for operators: what happened, and with what limit.
    pub fn new(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), source: None }
    }

    /// Adds the error of the store's client.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for RateLimitStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rate limit was not checked: {}", self.detail)
    }
}

impl Error for RateLimitStoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}
