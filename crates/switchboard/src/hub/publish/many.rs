//! One message to the subscribers of several topics.

use std::{fmt, future::IntoFuture, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use switchboard_core::Message;

use crate::{
    conn::ConnId,
    hub::{Hub, PublishError, Published, TopicOf, publish::Outgoing},
};

/// A publish to several topics, which happens when it is awaited: [`Hub::publish_many`].
///
/// Its result counts every connection once.
///
/// # Errors
///
/// As a publish to the first topic that it cannot be published to; subscribers of those before it have
/// got the message then.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has published to some topics.
#[must_use = "does nothing until awaited"]
pub struct PublishMany {
    hub: Hub,
    topics: Vec<Box<str>>,
    message: Result<Outgoing, PublishError>,
    except: Vec<ConnId>,
}

impl Hub {
    /// Publishes a message to the subscribers of several topics, once to each connection, however many
    /// of the topics it is subscribed to.
    ///
    /// ```
    /// use switchboard::{Hub, PublishError, ws_message};
    ///
    /// #[ws_message("CLOSING")]
    /// struct Closing {
    ///     minutes: u32,
    /// }
    ///
    /// async fn warn(hub: &Hub) -> Result<(), PublishError> {
    ///     hub.publish_many(["floor:1", "floor:2"], Closing { minutes: 5 }).await?;
    ///     Ok(())
    /// }
    /// # let _ = warn;
    /// ```
    pub fn publish_many<M, T>(&self, topics: impl IntoIterator<Item = T>, message: M) -> PublishMany
    where
        M: Message<Meta = ()>,
        T: TopicOf<M>,
    {
        let topics = topics.into_iter().map(|topic| topic.topic_name().into()).collect();
        PublishMany { hub: self.clone(), topics, message: self.outgoing(message, true), except: Vec::new() }
    }
}

impl PublishMany {
    /// Leaves out these connections.
    pub fn except(mut self, ids: impl IntoIterator<Item = ConnId>) -> Self {
        self.except.extend(ids);
        self
    }
}

impl IntoFuture for PublishMany {
    type Output = Result<Published, PublishError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let message = self.message?;
            let reached = Arc::new(Mutex::new(FxHashSet::default()));
            let mut count = 0;
            for topic in &self.topics {
                let mut publish =
                    self.hub.publish_outgoing(topic, Ok(message.clone()), None).except(self.except.clone());
                publish.audience.reached = Some(Arc::clone(&reached));
                count += publish.await?.count().unwrap_or_default();
            }
            Ok(Published::exact(count))
        }
        .boxed()
    }
}

impl fmt::Debug for PublishMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishMany").field("topics", &self.topics).finish_non_exhaustive()
    }
}
