//! The broker that applications make.

use std::{
    fmt,
    future::ready,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use switchboard_core::{
    adapter::Backoff,
    broker::{Broker, BrokerError, BrokerErrorKind, BrokerFuture, BrokerSink, Channel, LinkEvent, NodeId},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use crate::{
    NatsBrokerBuilder, link,
    settings::Settings,
    shared::{Shared, closed},
};

/// A [`Broker`] on NATS, by core subjects.
///
/// Needs NATS 2.9 or later, and a Tokio runtime. Each node has one connection.
///
/// Messages are not stored: a node gets what is published while its link is up. What the layers above do about gaps does
/// not depend on the broker.
///
/// A channel is the subject `PREFIX.PARTITION.CHANNEL`. A user of the server needs the right to publish and to subscribe
/// to `PREFIX.>`. Messages are limited by the server's `max_payload`, 1 MiB by default.
///
/// # Confirmation
///
/// NATS does not answer publishes. So each batch of operations is followed by a message of the node to itself: when it
/// comes back, the server has processed what was sent before. In a cluster of NATS servers, other servers learn of a
/// subscription a moment later.
///
/// # Many channels
///
/// A subscription takes about 5 KB of memory in the client. So a node subscribes to some thousands of channels one by one,
/// and to further ones by wildcards over 256 hashed partitions
/// ([`max_exact_subscriptions`](NatsBrokerBuilder::max_exact_subscriptions)).
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), switchboard_core::broker::BrokerError> {
/// use switchboard_nats::NatsBroker;
///
/// let broker = NatsBroker::connect("nats://localhost").await?;
/// # Ok(())
/// # }
/// ```
pub struct NatsBroker {
    shared: Arc<Shared>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl NatsBroker {
    /// Builds a broker with default settings, and connects once to find mistakes early.
    ///
    /// The URL is `nats://user:password@host:port`, or `tls://…` (feature `tls`).
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
    pub fn builder(url: impl Into<String>) -> NatsBrokerBuilder {
        NatsBrokerBuilder::new(url.into())
    }

    pub(crate) fn new(settings: Settings) -> Self {
        Self { shared: Arc::new(Shared::new(settings)), task: Mutex::default() }
    }

    pub(crate) async fn probe(&self) -> Result<(), BrokerError> {
        link::connect(&self.shared.settings, "switchboard-probe").await.map(drop)
    }

    fn set_task(&self, task: Option<JoinHandle<()>>) -> Option<JoinHandle<()>> {
        let mut present = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *present, task)
    }
}

impl Broker for NatsBroker {
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
            run(shared, name, started).await;
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

impl Drop for NatsBroker {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(task) = self.set_task(None) {
            task.abort();
        }
    }
}

impl fmt::Debug for NatsBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBroker").field("servers", &self.shared.settings.servers).finish_non_exhaustive()
    }
}

/// Keeps the link up, for ever. `started` learns how the first attempt ended; after an error, this ends.
async fn run(shared: Arc<Shared>, name: String, started: oneshot::Sender<Result<(), BrokerError>>) {
    let mut started = Some(started);
    let mut backoff = Backoff::new(shared.settings.min_backoff, shared.settings.max_backoff);
    loop {
        match link::connect(&shared.settings, &name).await {
            Ok(link) => {
                backoff.reset();
                serve(&shared, link, started.take()).await;
            }
            Err(error) => {
                if let Some(started) = started.take() {
                    shared.stop();
                    let _ = started.send(Err(error));
                    return;
                }
                let pause = backoff.next_pause();
                tracing::warn!(%error, ?pause, "cannot connect to NATS");
                tokio::select! {
                    () = sleep(pause) => {}
                    () = shared.reconnect.notified() => {}
                }
            }
        }
    }
}

/// Serves a link until it is lost.
async fn serve(shared: &Arc<Shared>, link: link::Link, started: Option<oneshot::Sender<Result<(), BrokerError>>>) {
    let mut reconnect = std::pin::pin!(shared.reconnect.notified());
    reconnect.as_mut().enable();
    let (queue, operations) = mpsc::channel(shared.settings.max_queued_operations);
    tracing::info!("connected to NATS");
    shared.inbox.link(LinkEvent::Connected);
    let restore = shared.set_link(Some(queue));
    if let Some(started) = started {
        let _ = started.send(Ok(()));
    }
    let reason = tokio::select! {
        reason = link::run(link, shared, operations, restore) => reason,
        () = reconnect => "a new link was asked for".into(),
    };
    shared.set_link(None);
    tracing::warn!(%reason, "the link to NATS is lost");
    shared.inbox.link(LinkEvent::Disconnected { reason });
}
