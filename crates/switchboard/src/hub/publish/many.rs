//! Publishing to several topics.

use std::{fmt, future::IntoFuture, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use parking_lot::Mutex;
use rustc_hash::FxHashSet;

use crate::{
    conn::ConnId,
    hub::{Hub, PublishError, Published, publish::Outgoing},
};

/// A pending publish to several topics: [`Hub::publish_many`]. Does nothing until awaited.
///
/// Its result counts every connection once.
///
/// # Errors
///
/// The error of the first topic that fails. The message has reached the subscribers of the topics
/// before it.
///
/// # Cancel safety
///
/// If dropped before it is ready, the message may have reached the subscribers of some topics only.
#[must_use = "does nothing until awaited"]
pub struct PublishMany {
    hub: Hub,
    topics: Vec<Box<str>>,
    message: Result<Outgoing, PublishError>,
    except: Vec<ConnId>,
}

impl PublishMany {
    pub(crate) fn new(hub: &Hub, topics: Vec<Box<str>>, message: Result<Outgoing, PublishError>) -> Self {
        Self { hub: hub.clone(), topics, message, except: Vec::new() }
    }

    /// Excludes these connections.
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
