//! The settings of shared limits.

use std::{sync::Arc, time::Duration};

use switchboard_core::broker::{BrokerError, BrokerErrorKind};
use tokio::{runtime::Handle, sync::oneshot};

use super::RedisRateLimit;
use crate::{
    RedisBrokerBuilder,
    shared::{Shared, closed},
};

/// Builds a [`RedisRateLimit`]. Made by [`RedisRateLimit::builder`], or by [`RedisBrokerBuilder::rate_limit`] with the
/// servers and limits of that builder.
///
/// | setting | default |
/// |---|---|
/// | [`check_timeout`](Self::check_timeout) | 100 ms |
/// | [`max_queued_operations`](RedisBrokerBuilder::max_queued_operations): checks that wait for their answer | 16 384 |
/// | [`response_timeout`](RedisBrokerBuilder::response_timeout): after that time without an answer a link is given up | 3 s |
/// | the others of [`RedisBrokerBuilder`], except `max_waiting_…` | as there |
#[derive(Debug, Clone)]
#[must_use]
pub struct RedisRateLimitBuilder {
    redis: RedisBrokerBuilder,
    check_timeout: Duration,
}

impl RedisRateLimitBuilder {
    pub(crate) fn new(redis: RedisBrokerBuilder) -> Self {
        Self { redis, check_timeout: Duration::from_millis(100) }
    }

    /// How long a check may take. A handler waits no longer.
    pub fn check_timeout(mut self, limit: Duration) -> Self {
        self.check_timeout = limit;
        self
    }

    /// Starts without waiting for the connection. Until it is there, checks fail.
    ///
    /// # Errors
    ///
    /// [`Rejected`](BrokerErrorKind::Rejected) if a setting makes no sense, or outside a Tokio runtime. The text names it.
    pub fn build(self) -> Result<RedisRateLimit, BrokerError> {
        self.start(None)
    }

    /// Connects, to find mistakes early: a wrong address or password, an unsuitable server.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and those of [`RedisBroker::connect`](crate::RedisBroker::connect).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is closed.
    pub async fn connect(self) -> Result<RedisRateLimit, BrokerError> {
        let (first, result) = oneshot::channel();
        let limits = self.start(Some(first))?;
        result.await.unwrap_or_else(|_| Err(closed()))?;
        Ok(limits)
    }

    fn start(self, first: Option<oneshot::Sender<Result<(), BrokerError>>>) -> Result<RedisRateLimit, BrokerError> {
        let rejected = |detail: &'static str| BrokerError::new(BrokerErrorKind::Rejected, detail);
        if !(Duration::from_millis(1)..=Duration::from_secs(60)).contains(&self.check_timeout) {
            return Err(rejected("`check_timeout` must be 1 ms to 1 minute"));
        }
        let mut settings = self.redis.settings()?;
        settings.subscribes = false;
        let runtime = Handle::try_current()
            .map_err(|_| rejected("`RedisRateLimit` must be made in a Tokio runtime, which keeps its connection"))?;
        Ok(RedisRateLimit::start(Arc::new(Shared::new(settings)), self.check_timeout, &runtime, first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(builder: RedisRateLimitBuilder) -> String {
        builder.build().unwrap_err().to_string()
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        let builder = || RedisRateLimit::builder("redis://:secret@h");
        assert!(error(builder().check_timeout(Duration::ZERO)).contains("`check_timeout`"));
        assert!(error(builder()).contains("Tokio runtime"));
        assert!(error(RedisRateLimit::builder("http://h")).contains("redis://"));
        assert!(!format!("{:?}", builder()).contains("secret"));
    }
}
