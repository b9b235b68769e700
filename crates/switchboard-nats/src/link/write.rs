//! Gives the client what is to be sent.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use async_nats::{Client, PublishErrorKind};
use bytes::Bytes;
use futures_util::{future::AbortHandle, stream::Abortable};
use switchboard_core::{
    adapter::Subscription as _,
    broker::{BrokerError, BrokerErrorKind},
};
use tokio::sync::mpsc;

use super::{Batch, read::Messages};
use crate::{
    operation::{Action, Operation},
    shared::Shared,
    subject::wildcard,
    table::Subscription,
};

/// Operations that one echo confirms.
const OPERATIONS: usize = 256;
/// Subscriptions that are restored at a time.
const RESTORED: usize = 500;

struct Writer {
    shared: Arc<Shared>,
    client: Client,
    echo: String,
    streams: mpsc::Sender<Abortable<Messages>>,
    batches: mpsc::Sender<Batch>,
    number: u64,
    /// Differs for each link.
    id: u64,
    /// What ends the wildcard of each partition that has one.
    wildcards: HashMap<u16, AbortHandle>,
}

/// The client has ended.
struct Ended;

/// Runs until the link ends.
pub(super) async fn run(
    shared: Arc<Shared>,
    client: Client,
    echo: String,
    mut operations: mpsc::Receiver<Operation>,
    restore: Vec<Arc<Subscription>>,
    streams: mpsc::Sender<Abortable<Messages>>,
    batches: mpsc::Sender<Batch>,
) -> Cow<'static, str> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut writer = Writer { shared, client, echo, streams, batches, number: 0, id, wildcards: HashMap::new() };
    let total = restore.len();
    let mut sent = 0;
    for subscriptions in portions(restore) {
        sent += subscriptions.len();
        if writer.restore(&subscriptions).await.is_err() {
            return "the client has ended".into();
        }
        tracing::info!(sent, total, "restoring subscriptions");
        // Others do not wait until all are restored.
        let mut waiting = Vec::new();
        while waiting.len() < OPERATIONS
            && let Ok(operation) = operations.try_recv()
        {
            waiting.push(operation);
        }
        if !waiting.is_empty() && writer.send(waiting).await.is_err() {
            return "the client has ended".into();
        }
    }
    loop {
        let mut waiting = Vec::new();
        if operations.recv_many(&mut waiting, OPERATIONS).await == 0 {
            return "not needed any more".into();
        }
        if writer.send(waiting).await.is_err() {
            return "the client has ended".into();
        }
    }
}

/// Divides the subscriptions so that no portion needs too many of the client.
fn portions(restore: Vec<Arc<Subscription>>) -> Vec<Vec<Arc<Subscription>>> {
    let (by_wildcard, exact): (Vec<_>, Vec<_>) =
        restore.into_iter().partition(|subscription| subscription.wildcard.is_some());
    let mut by_partition: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for subscription in by_wildcard {
        by_partition.entry(subscription.wildcard).or_default().push(subscription);
    }
    exact.chunks(RESTORED).map(<[_]>::to_vec).chain(by_partition.into_values()).collect()
}

impl Writer {
    async fn restore(&mut self, subscriptions: &[Arc<Subscription>]) -> Result<(), Ended> {
        let mut restored = Vec::with_capacity(subscriptions.len());
        for subscription in subscriptions {
            if subscription.is_active() {
                self.subscribe(subscription).await?;
                restored.push(subscription.channel.clone());
            }
        }
        self.confirm(Vec::new(), restored).await
    }

    async fn send(&mut self, waiting: Vec<Operation>) -> Result<(), Ended> {
        let mut sent = Vec::with_capacity(waiting.len());
        for mut operation in waiting {
            operation.set_sent();
            match &operation.action {
                Action::Publish { subject, message } => {
                    match self.client.publish(subject.clone(), message.clone()).await {
                        Ok(()) => sent.push(operation),
                        Err(error) if error.kind() == PublishErrorKind::Send => return Err(Ended),
                        Err(error) => {
                            let text = format!("{error}; the server's limit is `max_payload`");
                            let error = BrokerError::new(BrokerErrorKind::Rejected, text).with_source(error);
                            operation.end(Err(error));
                        }
                    }
                }
                Action::Subscribe { subscription } => {
                    if subscription.is_active() {
                        self.subscribe(&Arc::clone(subscription)).await?;
                    }
                    sent.push(operation);
                }
                Action::Leave { partition } => {
                    if !self.shared.needs_wildcard(*partition)
                        && let Some(wildcard) = self.wildcards.remove(partition)
                    {
                        wildcard.abort();
                    }
                }
            }
        }
        self.confirm(sent, Vec::new()).await
    }

    /// Subscribes to the channel or to its partition, unless that has been done on this link.
    async fn subscribe(&mut self, subscription: &Arc<Subscription>) -> Result<(), Ended> {
        let subject = match subscription.wildcard {
            Some(partition) if self.wildcards.contains_key(&partition) => return Ok(()),
            None if subscription.is_attached(self.id) => return Ok(()),
            Some(partition) => wildcard(&self.shared.settings.prefix, partition),
            None => subscription.subject.clone(),
        };
        let subscriber = self.client.subscribe(subject).await.map_err(|_| Ended)?;
        let (end, registration) = AbortHandle::new_pair();
        let of = subscription.wildcard.is_none().then(|| Arc::clone(subscription));
        let messages = Messages { subscription: of, subscriber };
        self.streams.send(Abortable::new(messages, registration)).await.map_err(|_| Ended)?;
        match subscription.wildcard {
            Some(partition) => _ = self.wildcards.insert(partition, end),
            None => subscription.attach(end, self.id),
        }
        Ok(())
    }

    /// Sends a message to the node itself, whose arrival confirms what was sent before.
    async fn confirm(
        &mut self,
        operations: Vec<Operation>,
        restored: Vec<switchboard_core::broker::Channel>,
    ) -> Result<(), Ended> {
        self.number += 1;
        let batch = Batch { number: self.number, sent_at: Instant::now(), operations, restored };
        self.batches.send(batch).await.map_err(|_| Ended)?;
        let payload = Bytes::from(self.number.to_string());
        self.client.publish(self.echo.clone(), payload).await.map_err(|_| Ended)
    }
}
