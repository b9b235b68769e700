//! Subscribing again after a link was lost.

use std::sync::Arc;

use redis::Value;
use switchboard_core::broker::{Channel, LinkEvent};

use crate::shared::{Queues, Shared};

/// Channels that are subscribed again at a time.
pub(super) const BATCH: usize = 1000;

/// Subscribes to all channels again, batch by batch, and reports each batch.
pub(super) async fn channels(shared: &Shared, queues: &Queues, channels: &[Channel]) {
    let total = channels.len();
    if total == 0 {
        return;
    }
    let mut restored = 0;
    for batch in channels.chunks(BATCH) {
        let outcomes: Vec<_> = batch.iter().map(|channel| shared.resubscribe_channel(queues, channel)).collect();
        let mut heard = Vec::with_capacity(batch.len());
        for (channel, outcome) in batch.iter().zip(outcomes) {
            // None if it has ended meanwhile.
            let Some(outcome) = outcome else { continue };
            match outcome.await {
                Ok(Ok(Value::ServerError(error))) => refused(channel, &error),
                Ok(Ok(_)) => heard.push(channel.clone()),
                // The link was lost again. Its end is reported elsewhere.
                Ok(Err(_)) | Err(_) => return,
            }
        }
        restored += heard.len();
        tracing::info!(restored, total, "subscriptions restored");
        shared.inbox.link(LinkEvent::Restored(heard.into()));
    }
}

fn refused(channel: &Channel, error: &redis::ServerError) {
    let (code, details) = (error.code(), error.details().unwrap_or_default());
    tracing::error!(%channel, "the server refuses a subscription that it allowed before: {code} {details}");
}

/// Subscribes to partitions again, and returns the link, the partitions that are heard, and those that the server refuses.
pub(super) async fn partitions(
    shared: Arc<Shared>,
    queues: Queues,
    partitions: Vec<usize>,
) -> (u64, Vec<usize>, Vec<usize>) {
    let subscribe = |partition: &usize| shared.resubscribe_partition(&queues, *partition);
    let outcomes: Vec<_> = partitions.iter().map(subscribe).collect();
    let (mut heard, mut refused) = (Vec::new(), Vec::new());
    for (partition, outcome) in partitions.into_iter().zip(outcomes) {
        // None if its last channel has ended meanwhile.
        let Some(outcome) = outcome else { continue };
        match outcome.await {
            Ok(Ok(value)) if !matches!(value, Value::ServerError(_)) => heard.push(partition),
            // If the link was lost, the partitions have another one by then, or none.
            _ => refused.push(partition),
        }
    }
    (queues.id, heard, refused)
}
