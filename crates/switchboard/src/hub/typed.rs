//! A hub that sends only messages of one set.

use std::{fmt, marker::PhantomData};

use switchboard_core::{MemberOf, Message, MessageSet};

use crate::{
    ConnId,
    hub::{ConnectionHandle, Hub, Publish, TopicHandle, TopicName, TopicOf, UserHandle},
};

/// A hub that sends only messages of the set `Out`: [`Hub::typed`].
pub struct TypedHub<Out> {
    hub: Hub,
    out: PhantomData<fn(Out)>,
}

impl<Out: MessageSet> TypedHub<Out> {
    pub(super) fn new(hub: &Hub) -> Self {
        Self { hub: hub.clone(), out: PhantomData }
    }

    /// Publishes a message to the subscribers of a topic, as [`Hub::publish`] does.
    pub fn publish<M: Message<Meta = ()> + MemberOf<Out>>(&self, topic: impl TopicOf<M>, message: M) -> Publish {
        self.hub.publish(topic, message)
    }

    /// Returns a handle to a topic, as [`Hub::topic`] does.
    pub fn topic<T: TopicName>(&self, topic: T) -> TopicHandle<T, Out> {
        TopicHandle::new(&self.hub, topic)
    }

    /// Returns a handle to a user, as [`Hub::user`] does.
    pub fn user(&self, key: impl AsRef<str>) -> UserHandle<Out> {
        UserHandle::new(&self.hub, key.as_ref())
    }

    /// Returns a handle to a connection, as [`Hub::connection`] does.
    pub fn connection(&self, id: ConnId) -> ConnectionHandle<Out> {
        ConnectionHandle::new(&self.hub, id)
    }

    /// Returns the hub without the restriction.
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
