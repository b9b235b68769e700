//! A connection's topics.

use std::sync::Arc;

use switchboard_core::{MemberOf, Message, MessageSet};

use crate::{
    conn::{AnyConn, Conn},
    hub::{AsStr, Operation, Publish, Subscribe, TopicChange, TopicError, TopicName, TopicOf},
};

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    /// Publishes a message to the members of a topic, this connection included if it is one.
    ///
    /// Nothing is published before the result is awaited. A [`Topic`](crate::Topic) takes only
    /// messages of its own type.
    ///
    /// ```
    /// # use switchboard::{Conn, WsError, ws_message};
    /// # #[ws_message("TYPING")] struct Typing;
    /// async fn typing(conn: Conn, typing: Typing) -> Result<(), WsError> {
    ///     conn.publish("room:1", typing).except_self().await?;
    ///     Ok(())
    /// }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn publish<M>(&self, topic: impl TopicOf<M>, message: M) -> Publish
    where
        M: Message<Meta = ()> + MemberOf<Out>,
    {
        self.inner.settings.check_declared(M::TYPE);
        let validate = self.inner.config().validate_outbound;
        self.inner.hub().publish_from(topic.topic_name(), message, Some(self.any()), validate)
    }

    /// Subscribes to a topic. `false` if it was subscribed already, which changes nothing.
    ///
    /// Without rules for the topic ([`TopicOptions`](crate::TopicOptions)) it does not wait for
    /// anything. With [`filter`](Subscribe::filter) only some messages come.
    ///
    /// # Errors
    ///
    /// The topic's name is not valid or not allowed, its rule refused or did not answer, the
    /// connection has [`max_subscriptions`](crate::Config::max_subscriptions) already or the topic
    /// or its pattern as many as may be, or the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has done nothing or all.
    pub fn subscribe<T: TopicName>(&self, topic: T) -> Subscribe<T> {
        Subscribe::new(self.any(), topic)
    }

    /// Subscribes to all of these topics, or to none. Those that it was subscribed to already do not
    /// matter; [`joined`](TopicChange::joined) has the others.
    ///
    /// ```
    /// # use switchboard::{Conn, TopicError};
    /// async fn enter(conn: Conn) -> Result<(), TopicError> {
    ///     let change = conn.subscribe_many(["news", "room:1"]).await?;
    ///     println!("new: {:?}", change.joined);
    ///     Ok(())
    /// }
    /// # let _ = switchboard::WsRouter::<()>::new().on_open(enter);
    /// ```
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe), for the first that cannot be.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has done nothing or all.
    pub async fn subscribe_many<T: TopicName>(
        &self,
        topics: impl IntoIterator<Item = T>,
    ) -> Result<TopicChange, TopicError> {
        self.change(topics, Operation::Join).await
    }

    /// Ends a subscription. Nothing of the topic arrives after this returned. `false` if there was
    /// none.
    ///
    /// # Errors
    ///
    /// The topic's name is not valid.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has done nothing or all.
    pub async fn unsubscribe(&self, topic: impl TopicName) -> Result<bool, TopicError> {
        let hub = self.inner.hub();
        if let Some(result) = hub.unsubscribe_now(&*self.inner, &hub.name(topic.topic_name())) {
            return result;
        }
        let change = Box::pin(self.change([topic], Operation::Leave)).await?;
        Ok(!change.left.is_empty())
    }

    /// Ends the subscriptions to all of these topics. Nothing of them arrives after this returned;
    /// [`left`](TopicChange::left) has those that there were.
    ///
    /// # Errors
    ///
    /// A topic's name is not valid: then all are as they were.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has done nothing or all.
    pub async fn unsubscribe_many<T: TopicName>(
        &self,
        topics: impl IntoIterator<Item = T>,
    ) -> Result<TopicChange, TopicError> {
        self.change(topics, Operation::Leave).await
    }

    /// Subscribes and unsubscribes so that exactly these topics remain, or changes nothing. Only
    /// those that are new are authorised and counted; those that stay do not miss anything.
    ///
    /// ```
    /// # use switchboard::{Conn, WsError, ws_message};
    /// #[ws_message("SHOW")]
    /// struct Show {
    ///     rooms: Vec<String>,
    /// }
    ///
    /// async fn show(conn: Conn, show: Show) -> Result<(), WsError> {
    ///     let change = conn.set_topics(show.rooms).await?;
    ///     println!("joined {:?}, left {:?}", change.joined, change.left);
    ///     Ok(())
    /// }
    /// # let _ = switchboard::WsRouter::<()>::new().on(show);
    /// ```
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe), for the first that cannot be.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has done nothing or all.
    pub async fn set_topics<T: TopicName>(
        &self,
        topics: impl IntoIterator<Item = T>,
    ) -> Result<TopicChange, TopicError> {
        self.change(topics, Operation::Exactly).await
    }

    /// Ends all subscriptions. Nothing of them arrives after this returned.
    ///
    /// # Errors
    ///
    /// None at present.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has done nothing or all.
    pub async fn clear_topics(&self) -> Result<TopicChange, TopicError> {
        self.change([""; 0], Operation::Exactly).await
    }

    /// The topics that the connection is subscribed to, in the order of subscribing.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.inner.subscriptions.lock().names()
    }

    /// Whether the connection is subscribed to a topic.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn is_subscribed(&self, topic: impl TopicName) -> bool {
        let name = self.inner.hub().name(topic.topic_name());
        self.inner.subscriptions.lock().contains(&name)
    }

    async fn change<T: TopicName>(
        &self,
        topics: impl IntoIterator<Item = T>,
        how: Operation,
    ) -> Result<TopicChange, TopicError> {
        let (hub, conn) = (self.inner.hub(), self.any());
        let wanted = hub.wanted(topics.into_iter().map(AsStr), how, &conn)?;
        hub.change(&conn, &wanted, None).await
    }

    fn any(&self) -> Arc<AnyConn> {
        Arc::clone(&self.inner) as Arc<AnyConn>
    }
}
