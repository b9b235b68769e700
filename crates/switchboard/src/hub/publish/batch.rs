//! Batching: many items in one message.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use switchboard_core::Message;

use crate::hub::{
    Hub, PublishError,
    publish::{Buffer, Coalesced, Pace},
};

/// The limits of a [`Batch`].
///
/// | setting | default | |
/// |---|---|---|
/// | [`max_items`](Self::max_items) | 100 | items per message |
/// | [`max_delay`](Self::max_delay) | 50 ms | wait for further items |
/// | [`max_waiting`](Self::max_waiting) | 10 000 | waiting items; beyond it, `push` fails |
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct BatchOptions {
    max_items: usize,
    max_delay: Duration,
    max_waiting: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { max_items: 100, max_delay: Duration::from_millis(50), max_waiting: 10_000 }
    }
}

impl BatchOptions {
    /// Creates the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the items in one message. 0 counts as 1.
    pub fn max_items(mut self, items: usize) -> Self {
        self.max_items = items.max(1);
        self
    }

    /// Limits how long the first item of a message waits for others.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Limits the items that wait while earlier ones are being published. 0 counts as 1.
    pub fn max_waiting(mut self, items: usize) -> Self {
        self.max_waiting = items.max(1);
        self
    }
}

/// Collects items and publishes them to a topic in one message:
/// [`TopicHandle::batch`](crate::TopicHandle::batch).
///
/// Items keep their order. Dropping the batch publishes the items that wait. Outside of a Tokio
/// runtime, only [`flush`](Self::flush) publishes.
///
/// ```
/// use std::time::Duration;
///
/// use switchboard::{BatchOptions, Hub, PublishError, ws_message};
///
/// #[ws_message("TICKS")]
/// struct Ticks {
///     prices: Vec<f64>,
/// }
///
/// async fn feed(hub: Hub) -> Result<(), PublishError> {
///     let options = BatchOptions::new().max_items(50).max_delay(Duration::from_millis(20));
///     let ticks = hub.topic("ticks").batch(options, |prices| Ticks { prices });
///     for price in [1.0, 2.0, 3.0] {
///         ticks.push(price)?;
///     }
///     ticks.flush().await;
///     Ok(())
/// }
/// # let _ = feed;
/// ```
pub struct Batch<T: Send + 'static, M: Message<Meta = ()>>(Arc<Coalesced<Items<T>, M>>);

struct Items<T> {
    items: VecDeque<T>,
    options: BatchOptions,
}

impl<T: Send + 'static> Buffer for Items<T> {
    type Taken = Vec<T>;

    fn is_full(&self) -> bool {
        self.items.len() >= self.options.max_items.min(self.options.max_waiting)
    }

    fn take(&mut self) -> Option<Vec<T>> {
        let now: Vec<T> = self.items.drain(..self.items.len().min(self.options.max_items)).collect();
        // Frees the memory of a burst.
        if self.items.capacity() > 4 * self.items.len() + 64 {
            self.items.shrink_to(2 * self.items.len());
        }
        (!now.is_empty()).then_some(now)
    }

    fn len(&self) -> usize {
        self.items.len()
    }
}

impl<T: Send + 'static, M: Message<Meta = ()>> Batch<T, M> {
    pub(crate) fn new(
        hub: &Hub,
        topic: &str,
        options: BatchOptions,
        make: impl Fn(Vec<T>) -> M + Send + Sync + 'static,
    ) -> Self {
        let items = Items { items: VecDeque::new(), options };
        Self(Coalesced::new(hub, topic, Pace::Delay(options.max_delay), items, Box::new(make)))
    }

    /// Adds an item. The message is published when it has
    /// [`max_items`](BatchOptions::max_items), or when its first item has waited for
    /// [`max_delay`](BatchOptions::max_delay). An invalid message is logged.
    ///
    /// # Errors
    ///
    /// - [`Overloaded`](crate::PublishErrorKind::Overloaded) if
    ///   [`max_waiting`](BatchOptions::max_waiting) items are waiting.
    /// - [`InvalidTopic`](crate::PublishErrorKind::InvalidTopic) or
    ///   [`NotAllowed`](crate::PublishErrorKind::NotAllowed) for the topic's name.
    pub fn push(&self, item: T) -> Result<(), PublishError> {
        self.0.hub.check_name(self.0.topic())?;
        let mut item = Some(item);
        self.0.add(|buffer| {
            if buffer.items.len() >= buffer.options.max_waiting {
                return Err(PublishError::full(buffer.options.max_waiting));
            }
            buffer.items.extend(item.take());
            Ok(())
        })
    }

    /// Publishes the items that wait, and completes when they are published.
    ///
    /// # Cancel safety
    ///
    /// If dropped before it is ready, the items are still published.
    pub async fn flush(&self) {
        self.0.flush().await;
    }
}

impl<T: Send + 'static, M: Message<Meta = ()>> Drop for Batch<T, M> {
    fn drop(&mut self) {
        self.0.request_flush();
    }
}

impl<T: Send + 'static, M: Message<Meta = ()>> fmt::Debug for Batch<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("topic", &self.0.topic()).finish_non_exhaustive()
    }
}
