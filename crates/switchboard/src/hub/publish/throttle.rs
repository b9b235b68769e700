//! Throttling: the latest message, at most once per interval.

use std::{fmt, sync::Arc, time::Duration};

use switchboard_core::Message;

use crate::{
    hub::{
        Hub, PublishError,
        publish::{Buffer, Coalesced, Pace},
    },
    wire::encode::EncodeError,
};

/// Publishes the latest message to a topic, at most once per interval:
/// [`TopicHandle::throttle`](crate::TopicHandle::throttle).
///
/// The first message is published at once. During the interval each message replaces the one
/// before; the last is published when the interval ends, so the latest state always arrives.
/// Dropping the handle publishes the message that waits. Outside of a Tokio runtime, only
/// [`flush`](Self::flush) publishes.
///
/// ```
/// use std::time::Duration;
///
/// use switchboard::{Hub, PublishError, ws_message};
///
/// #[ws_message("POSITION")]
/// struct Position {
///     x: f64,
/// }
///
/// async fn track(hub: Hub) -> Result<(), PublishError> {
///     let positions = hub.topic("robot:1").throttle(Duration::from_millis(50));
///     for step in 0..1000 {
///         positions.publish(Position { x: f64::from(step) })?;
///     }
///     positions.flush().await;
///     Ok(())
/// }
/// # let _ = track;
/// ```
pub struct Throttle<M: Message<Meta = ()>>(Arc<Coalesced<Latest<M>, M>>);

struct Latest<M>(Option<M>);

impl<M: Message> Buffer for Latest<M> {
    type Taken = M;

    fn is_full(&self) -> bool {
        false
    }

    fn take(&mut self) -> Option<M> {
        self.0.take()
    }

    fn len(&self) -> usize {
        usize::from(self.0.is_some())
    }
}

impl<M: Message<Meta = ()>> Throttle<M> {
    pub(crate) fn new(hub: &Hub, topic: &str, interval: Duration) -> Self {
        Self(Coalesced::new(hub, topic, Pace::Pause(interval), Latest(None), Box::new(|message| message)))
    }

    /// Publishes the message now or at the end of the interval, unless another one replaces it.
    ///
    /// A separate task publishes, so the order relative to other sends and publishes of the caller
    /// is undefined.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::PublishErrorKind::Invalid) if the message breaks its own validation
    /// rules; [`InvalidTopic`](crate::PublishErrorKind::InvalidTopic) or
    /// [`NotAllowed`](crate::PublishErrorKind::NotAllowed) for the topic's name. Later errors are
    /// logged.
    pub fn publish(&self, message: M) -> Result<(), PublishError> {
        self.0.hub.check_name(self.0.topic())?;
        message.validate().map_err(|issues| PublishError::invalid(EncodeError::Invalid(issues).into()))?;
        let mut replaced = None;
        self.0.add(|latest| {
            replaced = latest.0.replace(message);
            Ok(())
        })
    }

    /// Publishes the message that waits, and completes when it is published.
    ///
    /// # Cancel safety
    ///
    /// If dropped before it is ready, the message is still published.
    pub async fn flush(&self) {
        self.0.flush().await;
    }
}

impl<M: Message<Meta = ()>> Drop for Throttle<M> {
    fn drop(&mut self) {
        self.0.request_flush();
    }
}

impl<M: Message<Meta = ()>> fmt::Debug for Throttle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("topic", &self.0.topic()).finish_non_exhaustive()
    }
}
