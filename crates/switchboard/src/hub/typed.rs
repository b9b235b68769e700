//! A hub that sends only messages of one set.

use std::{fmt, marker::PhantomData};

use switchboard_core::{MemberOf, Message, MessageSet};

use crate::{
    ConnId,
    hub::{ConnectionHandle, Hub, Publish, TopicHandle, TopicName, TopicOf, UserHandle},
};

/// A hub to which only messages of the set `Out` can be given: [`Hub::typed`].
pub struct TypedHub<Out> {
    hub: Hub,
    out: PhantomData<fn(Out)>,
}

impl Hub {
    /// Restricts what can be sent to the messages of a set, as
    /// [`WsRouter::sending`](crate::WsRouter::sending) does for handlers. Everything else is a compile
    /// error.
    ///
    /// ```
    /// use switchboard::{Hub, PublishError, WsMessages, ws_message};
    ///
    /// #[ws_message("NEWS")]
    /// struct News {
    ///     text: String,
    /// }
    ///
    /// #[derive(WsMessages)]
    /// enum ServerMessage {
    ///     News(News),
    /// }
    ///
    /// async fn announce(hub: &Hub, text: String) -> Result<(), PublishError> {
    ///     hub.typed::<ServerMessage>().publish("news", News { text }).await?;
    ///     Ok(())
    /// }
    /// # let _ = announce;
    /// ```
    #[must_use]
    pub fn typed<Out: MessageSet>(&self) -> TypedHub<Out> {
        TypedHub { hub: self.clone(), out: PhantomData }
    }
}

impl<Out: MessageSet> TypedHub<Out> {
    /// Publishes a message to the subscribers of a topic, as [`Hub::publish`] does.
    pub fn publish<M: Message<Meta = ()> + MemberOf<Out>>(&self, topic: impl TopicOf<M>, message: M) -> Publish {
        self.hub.publish(topic, message)
    }

    /// As [`Hub::topic`].
    pub fn topic<T: TopicName>(&self, topic: T) -> TopicHandle<T, Out> {
        TopicHandle::new(&self.hub, topic)
    }

    /// As [`Hub::user`].
    pub fn user(&self, key: impl AsRef<str>) -> UserHandle<Out> {
        UserHandle::new(&self.hub, key.as_ref())
    }

    /// As [`Hub::connection`].
    pub fn connection(&self, id: ConnId) -> ConnectionHandle<Out> {
        ConnectionHandle::new(&self.hub, id)
    }

    /// The hub without the restriction.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl<Out> Clone for TypedHub<Out> {
    fn clone(&self) -> Self {
        Self { hub: self.hub.clone(), out: PhantomData }
    }
}

impl<Out> fmt::Debug for TypedHub<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedHub").field(&self.hub).finish()
    }
}
