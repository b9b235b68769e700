//! Batches items that arrive within a short time.

use std::{future::Future, time::Duration};

use switchboard::WsError;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// How long the first item of a batch waits.
const FLUSH_AFTER: Duration = Duration::from_millis(10);

/// The largest batch, and how many more items may wait before [`add`](Batcher::add) does.
const MAX_BATCH: usize = 500;

/// A handle to the task that collects items. The task ends with the last handle.
#[derive(Debug, Clone)]
pub(crate) struct Batcher<T>(mpsc::Sender<T>);

impl<T: Send + 'static> Batcher<T> {
    /// `flush` gets each batch. While it runs, the next one is collected.
    pub(crate) fn start<F, R>(mut flush: F) -> Self
    where
        F: FnMut(Vec<T>) -> R + Send + 'static,
        R: Future<Output = ()> + Send,
    {
        let (items, mut received) = mpsc::channel(MAX_BATCH);
        tokio::spawn(async move {
            while let Some(first) = received.recv().await {
                let until = Instant::now() + FLUSH_AFTER;
                let mut batch = vec![first];
                while batch.len() < MAX_BATCH
                    && let Ok(Some(item)) = timeout_at(until, received.recv()).await
                {
                    batch.push(item);
                }
                flush(batch).await;
            }
        });
        Self(items)
    }

    /// If dropped before it is ready, nothing was added.
    pub(crate) async fn add(&self, item: T) -> Result<(), WsError> {
        self.0.send(item).await.map_err(|_| WsError::unavailable("nothing is gathered any more"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::{sync::mpsc::unbounded_channel, time::sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn items_are_flushed_ten_milliseconds_after_the_first() {
        let (flushed, mut batches) = unbounded_channel();
        let batcher = Batcher::start(move |batch: Vec<usize>| {
            let _ = flushed.send((Instant::now(), batch));
            async {}
        });
        let begin = Instant::now();
        for n in 0..3 {
            batcher.add(n).await.unwrap();
            sleep(Duration::from_millis(4)).await;
        }
        // 12 ms have passed: this item is for the next batch.
        batcher.add(3).await.unwrap();
        assert_eq!(batches.recv().await.unwrap(), (begin + FLUSH_AFTER, vec![0, 1, 2]));
        assert_eq!(batches.recv().await.unwrap(), (begin + Duration::from_millis(22), vec![3]));
        // A full batch does not wait.
        for n in 0..MAX_BATCH {
            batcher.add(n).await.unwrap();
        }
        let (at, batch) = batches.recv().await.unwrap();
        assert_eq!((at, batch.len()), (begin + Duration::from_millis(22), MAX_BATCH));
        // The remaining items are flushed after the last handle is dropped.
        batcher.add(7).await.unwrap();
        drop(batcher);
        assert_eq!(batches.recv().await.unwrap().1, [7]);
        assert!(batches.recv().await.is_none());
    }
}
