//! The broker that applications make.

use std::{
    fmt,
    future::ready,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use switchboard_core::broker::{Broker, BrokerError, BrokerErrorKind, BrokerFuture, BrokerSink, Channel, NodeId};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

use crate::{
    RedisBrokerBuilder, servers,
    shared::{Shared, closed},
};

/// A [`Broker`] on Redis or Valkey: one server, the master of a group with Sentinels, or a cluster.
///
/// Needs Redis 6.2 or later (7.0 for a cluster) or Valkey, and a Tokio runtime. Each node has two connections to each
/// server: one for commands and one for subscriptions.
///
/// Messages are not stored: a node gets what is published while its link is up. What the layers above do about gaps does
/// not depend on the broker.
///
/// # Rights
///
/// A user of the server (ACL) needs the channels `PREFIX:*` and these commands:
/// `+hello +ping +client|setname +role +publish +subscribe +unsubscribe`, in a cluster instead of
/// the last three `+spublish +ssubscribe +sunsubscribe +cluster|slots +cluster|info`:
///
/// ```text
/// ACL SETUSER chat on >secret resetchannels &sb:* -@all +hello +ping +client|setname +role +publish +subscribe +unsubscribe
/// ```
///
/// # Order
///
/// Publishes of a node arrive in the order of the calls, and so do its subscriptions; the two go through different
/// connections. A message that must be heard by the node itself is published after `subscribe` has ended.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), switchboard_core::broker::BrokerError> {
/// use switchboard_redis::RedisBroker;
///
/// let broker = RedisBroker::connect("redis://localhost").await?;
/// # Ok(())
/// # }
/// ```
///
/// Behind Sentinel, and in a cluster:
///
/// ```
/// use switchboard_redis::RedisBroker;
///
/// let sentinel = RedisBroker::builder("redis://chat:secret@sentinel-1:26379")
///     .url("redis://sentinel-2:26379")
///     .sentinel_master("mymaster")
///     .build()?;
/// let cluster = RedisBroker::builder("redis://redis-1").url("redis://redis-2").cluster().build()?;
/// # Ok::<(), switchboard_core::broker::BrokerError>(())
/// ```
pub struct RedisBroker {
    shared: Arc<Shared>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl RedisBroker {
    /// Builds a broker for one server with default settings, and connects once to find mistakes early.
    ///
    /// The URL is `redis://user:password@host:port`, or `rediss://…` for TLS (feature `tls`). A database number is
    /// ignored: channels belong to no database.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](BrokerErrorKind::Unavailable) if the server is not reachable, and
    /// [`Rejected`](BrokerErrorKind::Rejected) for a wrong URL, wrong credentials or an unsuitable server. The text says
    /// how to mend it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is left.
    pub async fn connect(url: impl Into<String>) -> Result<Self, BrokerError> {
        Self::builder(url).connect().await
    }

    /// Returns a builder, which has the settings.
    pub fn builder(url: impl Into<String>) -> RedisBrokerBuilder {
        RedisBrokerBuilder::new(url.into())
    }

    pub(crate) fn from_core(shared: Arc<Shared>) -> Self {
        Self { shared, task: Mutex::default() }
    }

    pub(crate) async fn probe(&self) -> Result<(), BrokerError> {
        const NAME: &str = "switchboard-probe";
        if self.shared.settings.is_cluster() {
            servers::probe_cluster(&self.shared, NAME).await
        } else {
            servers::probe_single(&self.shared, NAME).await
        }
    }

    fn set_task(&self, task: Option<JoinHandle<()>>) -> Option<JoinHandle<()>> {
        let mut present = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *present, task)
    }
}

impl Broker for RedisBroker {
    fn start(&self, node: NodeId, sink: Arc<dyn BrokerSink>) -> BrokerFuture {
        if let Err(error) = self.shared.begin() {
            return Box::pin(ready(Err(error)));
        }
        let Ok(runtime) = Handle::try_current() else {
            self.shared.stop();
            let error = BrokerError::new(BrokerErrorKind::Rejected, "`start` must be called in a Tokio runtime");
            return Box::pin(ready(Err(error)));
        };
        let (started, result) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let name = format!("switchboard-{node}");
        self.set_task(Some(runtime.spawn(async move {
            // Aborted with this task.
            let (mut delivery, delivering) = (JoinSet::new(), Arc::clone(&shared));
            delivery.spawn(async move { delivering.inbox.deliver(&*sink).await });
            if shared.settings.is_cluster() {
                servers::run_cluster(shared, name, started).await;
            } else {
                servers::run_single(shared, name, started).await;
            }
        })));
        Box::pin(async move { result.await.unwrap_or_else(|_| Err(closed())) })
    }

    fn publish(&self, channel: &Channel, message: Bytes) -> BrokerFuture {
        self.shared.publish(channel, message)
    }

    fn subscribe(&self, channel: &Channel) -> BrokerFuture {
        self.shared.subscribe(channel)
    }

    fn unsubscribe(&self, channel: &Channel) -> BrokerFuture {
        self.shared.unsubscribe(channel)
    }

    fn reconnect(&self) {
        self.shared.reconnect.notify_waiters();
    }

    fn shutdown(&self) -> BrokerFuture {
        self.shared.close();
        let task = self.set_task(None);
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            if let Some(task) = task {
                task.abort();
                // It was aborted, so its result is an error.
                let _ = task.await;
            }
            shared.inbox.settled().await;
            Ok(())
        })
    }
}

impl Drop for RedisBroker {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(task) = self.set_task(None) {
            task.abort();
        }
    }
}

impl fmt::Debug for RedisBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBroker").field("servers", &self.shared.settings.servers).finish_non_exhaustive()
    }
}
