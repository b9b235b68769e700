//! The latest value, not more often than so.

use std::{fmt, sync::Arc, time::Duration};

use switchboard_core::Message;

use crate::{
    hub::{
        Hub, PublishError,
        publish::{Buffer, Coalesced, Pace},
    },
    wire::encode::EncodeError,
};

/// Publishes the latest of the messages it is given to one topic, at most once an interval:
/// [`TopicHandle::throttle`](crate::TopicHandle::throttle).
///
/// The first leaves at once. Of those that come while the interval lasts only the last is
/// published, at its end; so the last of all always arrives. One message is kept at a time. Dropping
/// the handle publishes what waits. Made and used where no runtime is, it publishes at
/// [`flush`](Self::flush) only.
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

    fn is_ripe(&self) -> bool {
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

    /// Publishes the message when its time has come, unless another follows before. It does so in a
    /// task of its own: no order is promised between this and what else the caller sends.
    ///
    /// # Errors
    ///
    /// The message breaks its own rules, or the topic's name is not valid or not allowed. What else
    /// goes wrong later is logged.
    pub fn publish(&self, message: M) -> Result<(), PublishError> {
        self.0.hub.check_name(self.0.topic())?;
        message.validate().map_err(|issues| PublishError::invalid(EncodeError::Invalid(issues).into()))?;
        let mut replaced = None;
        self.0.add(|latest| {
            replaced = latest.0.replace(message);
            Ok(())
        })
    }

    /// Publishes what waits, and is ready when that was done.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, what waits is published still.
    pub async fn flush(&self) {
        self.0.flush().await;
    }
}

impl<M: Message<Meta = ()>> Drop for Throttle<M> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<M: Message<Meta = ()>> fmt::Debug for Throttle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("topic", &self.0.topic()).finish_non_exhaustive()
    }
}
