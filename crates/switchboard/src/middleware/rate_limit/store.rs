//! Counting in a store that several nodes share.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use switchboard_core::{
    WsError,
    rate_limit::{RateLimitBucket, RateLimitOutcome, RateLimitStore, RateLimitStoreError},
};

use super::{
    RateLimitLayer, Settings,
    keyed::Key,
    state::{Counted, State},
};
use crate::log_limit::LogLimit;

/// The maximum length of the name of a limit.
const MAX_NAME_BYTES: usize = 64;

/// What happens to messages while the [store](RateLimitLayer::store) of a limit does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StoreFallback {
    /// They are counted on this node, as without a store: each node allows the limit, and begins with full buckets. The
    /// default.
    #[default]
    Local,
    /// They pass.
    Allow,
    /// They get `UNAVAILABLE`, which clients may retry.
    Refuse,
}

/// A store, and how a limit uses it.
#[derive(Clone)]
pub(super) struct Store {
    store: Arc<dyn RateLimitStore>,
    name: Arc<str>,
    fallback: StoreFallback,
    /// Whether the last answer was an error.
    fails: Arc<AtomicBool>,
}

impl<D: Send + Sync + 'static> RateLimitLayer<D> {
    /// Counts in a store that all nodes share, such as `RedisRateLimit` of the crate `switchboard-redis`, instead of on this
    /// node: a user has the limit once, on whatever nodes the connections are.
    ///
    /// `name` names the limit in the store. Limits with different names are counted separately; the limit that all nodes
    /// share has the same name, maximum and window on each. 1 to 64 characters of `A-Z a-z 0-9 - _ .`.
    ///
    /// The algorithm and its guarantees are the same. A message waits for the answer of the store, for the time that the
    /// store's settings allow; then, and while the store is not reachable, [`store_fallback`](Self::store_fallback)
    /// decides. What a fallback counts is not told to the store. Connections without a user, in a limit
    /// [by user](Self::per_user), are counted on their own node.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard::{RateLimitLayer, middleware::RateLimitStore};
    ///
    /// // let store = RedisRateLimit::connect("redis://localhost").await?;
    /// fn limit(store: impl RateLimitStore) -> RateLimitLayer<()> {
    ///     RateLimitLayer::per_user(10, Duration::from_secs(60)).store("chat", store)
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// If the limit is [`per_connection`](Self::per_connection), or `name` is not as above.
    #[track_caller]
    pub fn store(mut self, name: &str, store: impl RateLimitStore) -> Self {
        assert!(
            self.settings.is_keyed(),
            "`store` is for limits by user, address or key: a connection is on one node, which counts it"
        );
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        assert!(
            (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_legal),
            "the name {name:?} of a rate limit: it must be 1 to {MAX_NAME_BYTES} characters of `A-Z a-z 0-9 - _ .`"
        );
        let fallback = self.settings.store.as_ref().map(|store| store.fallback).unwrap_or_default();
        self.settings_mut().store =
            Some(Store { store: Arc::new(store), name: name.into(), fallback, fails: Arc::default() });
        self
    }

    /// Sets what happens to messages while the [store](Self::store) does not answer, [`StoreFallback::Local`] by default.
    ///
    /// # Panics
    ///
    /// Without a store: set that first.
    #[track_caller]
    pub fn store_fallback(mut self, fallback: StoreFallback) -> Self {
        let store = self.settings_mut().store.as_mut();
        assert!(store.is_some(), "`store_fallback` needs a store: call `store` first");
        if let Some(store) = store {
            store.fallback = fallback;
        }
        self
    }
}

impl Store {
    /// Whether a key is counted in the store. Connections are counted by their own node.
    pub(super) fn counts(&self, key: &Key) -> bool {
        !matches!(key, Key::Connection(_))
    }

    /// The key in the store.
    fn text(&self, key: &Key) -> Option<String> {
        let name = &self.name;
        match key {
            Key::User(user) => Some(format!("{name}:u:{user}")),
            Key::Ip(ip) => Some(format!("{name}:a:{ip}")),
            Key::Custom(key) => Some(format!("{name}:k:{key}")),
            Key::Connection(_) => None,
        }
    }

    /// Counts a message in the store.
    pub(super) fn check<D: Send + Sync + 'static>(
        &self,
        settings: Arc<Settings<D>>,
        state: Arc<State>,
        key: Key,
        part: &str,
        cost: NonZeroU32,
    ) -> BoxFuture<'static, Result<(), WsError>> {
        let text = self.text(&key).unwrap_or_default();
        let max = NonZeroU32::new(settings.policy.max).unwrap_or(NonZeroU32::MIN);
        let bucket = RateLimitBucket::new(&text, max, Duration::from_nanos(settings.policy.window)).part(part);
        let taken = self.store.take(bucket, cost);
        let this = self.clone();
        Box::pin(async move {
            match taken.await {
                Ok(outcome) => {
                    this.works();
                    match outcome {
                        RateLimitOutcome::Denied { retry_after } => Err(settings.refusal(retry_after)),
                        _ => Ok(()),
                    }
                }
                Err(error) => {
                    this.fails(&error);
                    match this.fallback {
                        StoreFallback::Local => settings.take(&state, Counted::Key(key), cost),
                        StoreFallback::Allow => Ok(()),
                        StoreFallback::Refuse => Err(unavailable()),
                    }
                }
            }
        })
    }

    /// Clears the counts of a key in the store. `None` if they are not there.
    pub(super) fn reset(&self, key: &Key) -> Option<BoxFuture<'static, Result<(), WsError>>> {
        let reset = self.store.reset(&self.text(key)?);
        let this = self.clone();
        Some(Box::pin(async move {
            reset.await.map_err(|error| {
                this.fails(&error);
                unavailable()
            })
        }))
    }

    fn works(&self) {
        if self.fails.load(Relaxed) && self.fails.swap(false, Relaxed) {
            tracing::info!(limit = %self.name, "the store of a rate limit answers again");
        }
    }

    fn fails(&self, error: &RateLimitStoreError) {
        static LOG: LogLimit = LogLimit::new();
        if !self.fails.swap(true, Relaxed)
            && let Some(suppressed) = LOG.may_log()
        {
            let cause = std::error::Error::source(error).map(tracing::field::display);
            tracing::warn!(limit = %self.name, %error, cause, fallback = ?self.fallback, suppressed, "a rate limit has no store");
        }
    }
}

fn unavailable() -> WsError {
    WsError::unavailable("the rate limit cannot be checked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nothing;

    impl RateLimitStore for Nothing {
        fn take(
            &self,
            _: RateLimitBucket<'_>,
            _: NonZeroU32,
        ) -> switchboard_core::rate_limit::RateLimitFuture<RateLimitOutcome> {
            Box::pin(async { Ok(RateLimitOutcome::Allowed) })
        }

        fn reset(&self, _: &str) -> switchboard_core::rate_limit::RateLimitFuture<()> {
            Box::pin(async { Ok(()) })
        }
    }

    fn per_user() -> RateLimitLayer<()> {
        RateLimitLayer::per_user(1, Duration::from_secs(1))
    }

    #[test]
    fn keys_of_different_kinds_and_limits_are_different() {
        let layer = per_user().store("chat", Nothing);
        let store = layer.settings.store.as_ref().unwrap();
        let ip = "2001:db8::7".parse().unwrap();
        let keys =
            [Key::User("1".into()), Key::Custom("1".into()), Key::of_ip(ip), Key::Connection(crate::ConnId::new())];
        let texts = keys.each_ref().map(|key| store.text(key));
        let expected = ["chat:u:1", "chat:k:1", "chat:a:2001:db8::"].map(|text| Some(text.to_owned()));
        assert_eq!(texts[..3], expected);
        assert_eq!(texts[3], None);
    }

    #[test]
    #[should_panic(expected = "a connection is on one node")]
    fn limits_per_connection_need_no_store() {
        let _ = RateLimitLayer::<()>::per_connection(1, Duration::from_secs(1)).store("chat", Nothing);
    }

    #[test]
    #[should_panic(expected = "it must be 1 to 64 characters")]
    fn a_name_has_no_colon() {
        let _ = per_user().store("a:b", Nothing);
    }

    #[test]
    #[should_panic(expected = "call `store` first")]
    fn a_fallback_needs_a_store() {
        let _ = per_user().store_fallback(StoreFallback::Allow);
    }
}
