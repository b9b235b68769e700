//! A connection's topics.

use std::sync::Arc;

use switchboard_core::{MemberOf, Message, MessageSet};

use crate::{
    conn::{AnyConn, Conn},
    hub::{AsStr, ChangeTopics, Operation, PendingChange, Publish, Subscribe, TopicName, TopicOf, Unsubscribe},
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
    pub fn subscribe(&self, topic: impl TopicName) -> Subscribe {
        Subscribe::new(self.change([topic], Operation::Join))
    }

    /// Subscribes to all of these topics, or to none. Those that it was subscribed to already do not
    /// matter; [`joined`](crate::TopicChange::joined) has the others.
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
    pub fn subscribe_many<T: TopicName>(&self, topics: impl IntoIterator<Item = T>) -> ChangeTopics {
        ChangeTopics::new(self.change(topics, Operation::Join))
    }

    /// Ends a subscription. Nothing of the topic arrives after this returned. `false` if there was
    /// none.
    pub fn unsubscribe(&self, topic: impl TopicName) -> Unsubscribe {
        Unsubscribe::new(self.change([topic], Operation::Leave))
    }

    /// Ends the subscriptions to all of these topics. Nothing of them arrives after this returned;
    /// [`left`](crate::TopicChange::left) has those that there were.
    pub fn unsubscribe_many<T: TopicName>(&self, topics: impl IntoIterator<Item = T>) -> ChangeTopics {
        ChangeTopics::new(self.change(topics, Operation::Leave))
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
    pub fn set_topics<T: TopicName>(&self, topics: impl IntoIterator<Item = T>) -> ChangeTopics {
        ChangeTopics::new(self.change(topics, Operation::Exactly))
    }

    /// Ends all subscriptions. Nothing of them arrives after this returned.
    pub fn clear_topics(&self) -> ChangeTopics {
        ChangeTopics::new(self.change([""; 0], Operation::Exactly))
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

    fn change<T: TopicName>(&self, topics: impl IntoIterator<Item = T>, operation: Operation) -> PendingChange {
        PendingChange::new(self.any(), topics.into_iter().map(AsStr), operation)
    }

    fn any(&self) -> Arc<AnyConn> {
        Arc::clone(&self.inner) as Arc<AnyConn>
    }
}
