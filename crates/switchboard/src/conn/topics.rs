//! A connection's subscriptions.

use std::sync::Arc;

use switchboard_core::MessageSet;

use crate::{
    conn::{AnyConn, Conn},
    hub::{AsStr, ChangeTopics, Operation, PendingChange, TopicName, Unsubscribe},
};

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    /// Ends a subscription. Returns `false` if there was none.
    ///
    /// No message of the topic is queued after this has returned. Messages queued before still
    /// arrive, ahead of anything sent later.
    pub fn unsubscribe(&self, topic: impl TopicName) -> Unsubscribe {
        Unsubscribe::new(self.change([topic], Operation::Leave))
    }

    /// Subscribes to several topics, or to none of them if one fails. Topics that the connection
    /// is subscribed to already are skipped.
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

    /// Ends several subscriptions. Topics that the connection is not subscribed to are skipped.
    ///
    /// No message of these topics is queued after this has returned.
    pub fn unsubscribe_many<T: TopicName>(&self, topics: impl IntoIterator<Item = T>) -> ChangeTopics {
        ChangeTopics::new(self.change(topics, Operation::Leave))
    }

    /// Replaces the set of subscriptions: subscribes to these topics and unsubscribes from all
    /// others, or changes nothing if one topic fails.
    ///
    /// Only new topics are authorised; the limits apply to the resulting set. Subscriptions that
    /// stay miss no message.
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

    /// Ends all subscriptions. No message of a topic is queued after this has returned.
    pub fn clear_topics(&self) -> ChangeTopics {
        ChangeTopics::new(self.change([""; 0], Operation::Exactly))
    }

    /// Returns the topics that the connection is subscribed to, in the order of subscribing.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.inner.subscriptions.lock().names()
    }

    /// Returns whether the connection is subscribed to a topic.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn is_subscribed(&self, topic: impl TopicName) -> bool {
        self.inner.is_subscribed(topic.topic_name())
    }

    /// Whether the connection has to be identified, and is not yet.
    pub(crate) fn must_identify(&self) -> bool {
        self.inner.config().identify_timeout.is_some() && self.user().is_none()
    }

    pub(super) fn change<T: TopicName>(
        &self,
        topics: impl IntoIterator<Item = T>,
        operation: Operation,
    ) -> PendingChange {
        PendingChange::new(self.any(), topics.into_iter().map(AsStr), operation)
    }

    pub(super) fn any(&self) -> Arc<AnyConn> {
        Arc::clone(&self.inner) as Arc<AnyConn>
    }
}
