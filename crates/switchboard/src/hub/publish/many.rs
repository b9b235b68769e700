//! Publishing to several topics.

use std::{fmt, future::IntoFuture};

use futures_util::{FutureExt as _, future::BoxFuture};

use crate::{
    conn::ConnId,
    hub::{
        Hub, PublishError, Published,
        link::Group,
        publish::{Audience, Outgoing},
    },
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
    /// With a record of who has got it.
    audience: Audience,
    unconfirmed: bool,
}

impl PublishMany {
    pub(crate) fn new(hub: &Hub, topics: Vec<Box<str>>, message: Result<Outgoing, PublishError>) -> Self {
        Self { hub: hub.clone(), topics, message, audience: Audience::of_several_topics(), unconfirmed: false }
    }

    /// Does not wait for the broker, as [`Publish::unconfirmed`](crate::Publish::unconfirmed).
    pub fn unconfirmed(mut self) -> Self {
        self.unconfirmed = true;
        self
    }

    /// Excludes these connections.
    pub fn except(mut self, ids: impl IntoIterator<Item = ConnId>) -> Self {
        self.audience.except.extend(ids);
        self
    }
}

impl IntoFuture for PublishMany {
    type Output = Result<Published, PublishError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let message = self.message?;
            let group = Some(Group::new());
            let mut count = Some(0);
            for topic in &self.topics {
                let mut publish = self.hub.publish_outgoing(topic, Ok(message.clone()), None);
                (publish.audience, publish.group) = (self.audience.clone(), group);
                publish.unconfirmed = self.unconfirmed;
                count = publish.await?.count().zip(count).map(|(more, count)| count + more);
            }
            Ok(count.map_or(Published::UNKNOWN, Published::exact))
        }
        .boxed()
    }
}

impl fmt::Debug for PublishMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishMany").field("topics", &self.topics).finish_non_exhaustive()
    }
}
