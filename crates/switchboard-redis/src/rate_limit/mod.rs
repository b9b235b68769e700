//! Limits by key that nodes share.

mod builder;
mod overdue;
mod script;

use std::{fmt, future::Future, num::NonZeroU32, sync::Arc, time::Duration};

use bytes::Bytes;
use redis::Value;
use switchboard_core::{
    adapter::Backoff,
    broker::BrokerError,
    rate_limit::{RateLimitBucket, RateLimitFuture, RateLimitOutcome, RateLimitStore, RateLimitStoreError},
};
use tokio::{
    sync::oneshot,
    task::AbortHandle,
    time::{Instant, sleep},
};

pub use self::builder::RedisRateLimitBuilder;
pub(crate) use self::script::hex_sha1;
use self::{
    overdue::{Awaited, Overdue, Silence},
    script::{Take, is_missing, outcome},
};
use crate::{RedisBroker, command::Command, link::NoAnswer, servers, shared::Shared};

/// The name of its connections in the server's list of clients.
const NAME: &str = "switchboard-rate-limit";

/// Counts the messages of users, addresses and keys in Redis, for all nodes together: a
/// [`RateLimitStore`], for `RateLimitLayer::store` of the crate `switchboard`.
///
/// ```text
/// let limits = RedisRateLimit::connect("redis://localhost").await?;
/// let layer = RateLimitLayer::per_user(10, Duration::from_secs(60)).store("chat", limits.clone());
/// ```
///
/// Cheap to clone; all clones, and so all limits of an application, share one connection to each server, apart from those
/// of [`RedisBroker`]. Needs Redis 6.2 or later (7.0 for a cluster) or Valkey, and a Tokio runtime.
///
/// # A check
///
/// Each check is one command, `EVALSHA` with one key: a script takes tokens out of a bucket, or nothing if there are too few
/// (GCRA). It goes by the server's clock. Commands are sent without waiting for the answers to those before. A bucket
/// vanishes when it is full again, after a window at most.
///
/// # When Redis does not answer
///
/// A check ends with an error after [`check_timeout`](RedisRateLimitBuilder::check_timeout), 100 ms by default. From then on
/// until the server answers, or the link to it is given up and made anew, further checks fail at once. So a server that hangs
/// delays only those handlers that ask it at that moment. What happens to their messages is a setting of the layer
/// (`store_fallback`); by default they are counted on their own node meanwhile.
///
/// After a failover of Sentinel or a cluster, counts that had not reached the replica are lost, and so are all of a server
/// that comes back empty: then keys begin with full buckets. While a slot of a cluster moves, checks of its keys fail.
///
/// # Rights
///
/// A user of the server (ACL) needs the keys `PREFIX:rate*` and these commands: `+hello +ping +client|setname +role
/// +evalsha +eval +time +hget +hset +pttl +pexpire +del`, in a cluster also `+cluster|slots +cluster|info`:
///
/// ```text
/// ACL SETUSER chat on >secret ~sb:rate* -@all +hello +ping +client|setname +role +evalsha +eval +time +hget +hset +pttl +pexpire +del
/// ```
///
/// # Examples
///
/// ```no_run
/// use std::{num::NonZeroU32, time::Duration};
///
/// use switchboard_core::rate_limit::{RateLimitBucket, RateLimitOutcome, RateLimitStore};
/// use switchboard_redis::RedisRateLimit;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let limits = RedisRateLimit::connect("redis://localhost").await?;
/// // Ten a minute, for anything that is no message: `RateLimitLayer` does this for messages.
/// let bucket = RateLimitBucket::new("sign-up:192.0.2.7", NonZeroU32::new(10).unwrap(), Duration::from_secs(60));
/// if let RateLimitOutcome::Denied { retry_after } = limits.take(bucket, NonZeroU32::MIN).await? {
///     println!("again in {retry_after:?}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// In a cluster:
///
/// ```no_run
/// # async fn example() -> Result<(), switchboard_core::broker::BrokerError> {
/// use switchboard_redis::RedisBroker;
///
/// let redis = RedisBroker::builder("redis://redis-1").url("redis://redis-2").cluster();
/// let limits = redis.clone().rate_limit().connect().await?;
/// let broker = redis.connect().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisRateLimit(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    overdue: Arc<Overdue>,
    check_timeout: Duration,
    task: AbortHandle,
}

impl RedisRateLimit {
    /// Connects to one server, with default settings.
    ///
    /// The URL is that of [`RedisBroker::connect`]. For Sentinel, a cluster and other settings see
    /// [`RedisBrokerBuilder::rate_limit`](crate::RedisBrokerBuilder::rate_limit).
    ///
    /// # Errors
    ///
    /// As [`RedisBroker::connect`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is closed.
    pub async fn connect(url: impl Into<String>) -> Result<Self, BrokerError> {
        Self::builder(url).connect().await
    }

    /// Returns a builder for one server.
    pub fn builder(url: impl Into<String>) -> RedisRateLimitBuilder {
        RedisBroker::builder(url).rate_limit()
    }

    /// Begins to keep the links up. `first` learns how the first attempt ended.
    fn start(
        shared: Arc<Shared>,
        check_timeout: Duration,
        runtime: &tokio::runtime::Handle,
        first: Option<oneshot::Sender<Result<(), BrokerError>>>,
    ) -> Self {
        // It subscribes to nothing, and operations tell of the link by their errors.
        shared.inbox.close();
        let overdue = Overdue::new(shared.layout.partitions());
        let task = runtime.spawn(run(Arc::clone(&shared), first)).abort_handle();
        Self(Arc::new(Inner { shared, overdue, check_timeout, task }))
    }
}

/// Keeps the links up, for ever, also if the first attempt fails.
async fn run(shared: Arc<Shared>, mut first: Option<oneshot::Sender<Result<(), BrokerError>>>) {
    let mut backoff = Backoff::new(shared.settings.min_backoff, shared.settings.max_backoff);
    while shared.begin().is_ok() {
        let (started, result) = oneshot::channel();
        let report = async {
            let Ok(result) = result.await else { return };
            match (first.take(), result) {
                (Some(first), result) => drop(first.send(result)),
                (None, Err(error)) => tracing::warn!(%error, "cannot connect to Redis"),
                (None, Ok(())) => {}
            }
        };
        if shared.settings.is_cluster() {
            tokio::join!(servers::run_cluster(Arc::clone(&shared), NAME.to_owned(), started), report);
        } else {
            tokio::join!(servers::run_single(Arc::clone(&shared), NAME.to_owned(), started), report);
        }
        // It ends only if the first attempt has failed.
        sleep(backoff.next_pause()).await;
    }
}

impl Inner {
    /// Sends a command. Its answer is waited for by the future.
    fn send(&self, partition: usize, command: Command) -> Result<Awaited, RateLimitStoreError> {
        if self.overdue.is_silent(partition) {
            return Err(RateLimitStoreError::new("the server does not answer"));
        }
        let (on_outcome, awaited) = self.overdue.command(partition);
        self.shared.command(partition, command, on_outcome).map_err(|error| failed(&error))?;
        Ok(awaited)
    }

    async fn answer(&self, awaited: Awaited, deadline: Instant) -> Result<Value, RateLimitStoreError> {
        awaited.answer(deadline).await.map_err(|silence| match silence {
            Silence::NoAnswer(NoAnswer::NotSent) => RateLimitStoreError::new("the link was lost before it was asked"),
            Silence::NoAnswer(NoAnswer::Lost) => RateLimitStoreError::new("the link was lost before the answer"),
            Silence::TooLate => {
                RateLimitStoreError::new(format!("no answer within {:?} (check_timeout)", self.check_timeout))
            }
        })
    }

    /// Sends a command, and again in the form of `otherwise` if the server does not have the script.
    fn ask(
        self: &Arc<Self>,
        partition: usize,
        command: Command,
        otherwise: Option<Take>,
    ) -> impl Future<Output = Result<Value, RateLimitStoreError>> + Send + 'static {
        let deadline = Instant::now() + self.check_timeout;
        let awaited = self.send(partition, command);
        let this = Arc::clone(self);
        async move {
            let mut answer = this.answer(awaited?, deadline).await?;
            if is_missing(&answer)
                && let Some(take) = otherwise
            {
                let awaited = this.send(partition, take.by_text())?;
                answer = this.answer(awaited, deadline).await?;
            }
            this.shared.check(&answer).map_err(|error| failed(&error))?;
            Ok(answer)
        }
    }
}

impl RateLimitStore for RedisRateLimit {
    fn take(&self, bucket: RateLimitBucket<'_>, cost: NonZeroU32) -> RateLimitFuture<RateLimitOutcome> {
        let (partition, key) = self.0.shared.layout.key(bucket.key);
        let take = Take::new(key, &bucket, cost);
        let answer = self.0.ask(partition, take.by_name(), Some(take));
        Box::pin(async move {
            let answer = answer.await?;
            outcome(&answer).ok_or_else(|| RateLimitStoreError::new(format!("the script has returned {answer:?}")))
        })
    }

    fn reset(&self, key: &str) -> RateLimitFuture<()> {
        let (partition, key) = self.0.shared.layout.key(key);
        let answer = self.0.ask(partition, Command::Words(vec![Bytes::from_static(b"DEL"), key]), None);
        Box::pin(async move { answer.await.map(drop) })
    }
}

fn failed(error: &BrokerError) -> RateLimitStoreError {
    RateLimitStoreError::new(error.to_string())
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.close();
        self.task.abort();
    }
}

impl fmt::Debug for RedisRateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateLimit").field("servers", &self.0.shared.settings.servers).finish_non_exhaustive()
    }
}
