//! The methods of a hub.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use switchboard_core::{Message, MessageSet};

use crate::{
    conn::{ConnId, ConnRef},
    hub::{
        ConnectionHandle, Connections, Drain, Hub, HubBuilder, HubStats, Publish, PublishMany, TopicHandle, TopicName,
        TopicOf, TypedHub, UserEvents, UserHandle,
    },
};

impl Hub {
    /// Creates a hub with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Creates a builder for a hub with other settings. They apply to all routes that share the
    /// hub; the settings of one route are in [`Config`](crate::Config).
    ///
    /// | setting | default | beyond it |
    /// |---|---|---|
    /// | [`topic`](HubBuilder::topic) | no rules | see [`TopicOptions`](crate::TopicOptions) |
    /// | [`normalize_topics`](HubBuilder::normalize_topics) | names are used as given | |
    /// | [`max_connections`](HubBuilder::max_connections) | no limit | HTTP 503 |
    /// | [`max_connections_per_ip`](HubBuilder::max_connections_per_ip) | no limit | HTTP 503; 500 if addresses are unknown |
    /// | [`max_connections_per_user`](HubBuilder::max_connections_per_user) | no limit | close 4504 |
    /// | [`max_pending_upgrades`](HubBuilder::max_pending_upgrades) | 1024 | HTTP 503 |
    /// | [`max_queued_bytes`](HubBuilder::max_queued_bytes) | 256 MiB in all queues | the slowest consumers are closed with 4002 |
    /// | [`max_queued_user_events`](HubBuilder::max_queued_user_events) | 1024 per reader | the oldest events are lost |
    ///
    /// ```
    /// use switchboard::Hub;
    ///
    /// let hub = Hub::builder().max_queued_bytes(512 * 1024 * 1024).build();
    /// # let _ = hub;
    /// ```
    pub fn builder() -> HubBuilder {
        HubBuilder::new()
    }

    /// Publishes a message to the subscribers of a topic. A topic without subscribers is not an
    /// error.
    ///
    /// The message is always validated. A [`Topic<M>`](crate::Topic) accepts only messages of type
    /// `M`; a string accepts any.
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn publish<M: Message<Meta = ()>>(&self, topic: impl TopicOf<M>, message: M) -> Publish {
        self.publish_from(topic.topic_name(), message, None, true)
    }

    /// Publishes a message to the subscribers of several topics. A connection that is subscribed to
    /// several of them receives it once.
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
        PublishMany::new(self, topics, self.outgoing(message, true))
    }

    /// Returns a handle to a topic, named by a string or a [`Topic`](crate::Topic).
    pub fn topic<T: TopicName>(&self, topic: T) -> TopicHandle<T> {
        TopicHandle::new(self, topic)
    }

    /// Returns a handle to the user with this key.
    pub fn user(&self, key: impl AsRef<str>) -> UserHandle {
        UserHandle::new(self, key.as_ref())
    }

    /// Returns a handle to the connection with this id.
    pub fn connection(&self, id: ConnId) -> ConnectionHandle {
        ConnectionHandle::new(self, id)
    }

    /// Returns figures of the hub.
    #[must_use]
    pub fn stats(&self) -> HubStats {
        let registry = self.0.registry.lock();
        let (connections, users) = (registry.len(), registry.user_count());
        drop(registry);
        HubStats {
            connections,
            users,
            subscriptions: self.0.subscriptions.load(Relaxed),
            topics: self.0.topics.read().len(),
            queued_bytes: self.0.queued.bytes(),
            pending_upgrades: self.0.pending_upgrades.load(Relaxed),
            running_handlers: self.0.running.load(Relaxed),
            dropped_handlers: self.0.dropped.load(Relaxed),
            detached_handlers: self.0.detached.load(Relaxed),
            late_answers: self.0.late_answers.load(Relaxed),
            slow_consumers: self.0.queued.overflowed(),
        }
    }

    /// Drains the hub before the server stops.
    ///
    /// New upgrades are refused with 503. Connections are closed with 1012 one after the other,
    /// spread evenly over the time `over`: each handles no further messages and closes when its
    /// running handlers are done.
    ///
    /// Completes when all connections are closed and all handlers that
    /// [run to completion](crate::RouteOptions::run_to_completion) are done, but does not wait for
    /// handlers longer than `over` plus [`grace`](Drain::grace) (5 s): then the remaining
    /// connections are closed and their handlers dropped. A drain cannot be undone.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use switchboard::{Hub, WsRouter, ws_route};
    ///
    /// # async fn serve() -> std::io::Result<()> {
    /// let hub = Hub::new();
    /// let app = axum::Router::new().route("/ws", ws_route(WsRouter::new().hub(hub.clone())));
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    /// let stop = async move {
    ///     // On an error, signals are unavailable and the server keeps running.
    ///     if tokio::signal::ctrl_c().await.is_ok() {
    ///         hub.drain(Duration::from_secs(10)).await;
    ///     }
    /// };
    /// switchboard::serve(listener, app).with_graceful_shutdown(stop).await
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// If dropped before it is ready, connections that were asked to close do so, and the others
    /// stay open. New upgrades are still refused.
    pub fn drain(&self, over: Duration) -> Drain {
        Drain::new(self, over)
    }

    /// Returns whether [`drain`](Self::drain) has begun, for example for a load balancer's health
    /// check.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Restricts the messages that can be sent to those of a set, as
    /// [`WsRouter::sending`](crate::WsRouter::sending) does for handlers. Sending any other message
    /// is a compile error.
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
        TypedHub::new(self)
    }

    /// Iterates over the open connections to this node, in no particular order.
    ///
    /// The iterator holds a snapshot of ids, 16 bytes each; connections that close meanwhile are
    /// skipped.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard::Hub;
    ///
    /// /// Closes connections whose clients have been idle for too long.
    /// fn sweep(hub: &Hub, longest: Duration) {
    ///     for conn in hub.local_connections() {
    ///         if conn.last_activity().elapsed().is_ok_and(|idle| idle > longest) {
    ///             conn.disconnect_with(4000, "idle");
    ///         }
    ///     }
    /// }
    /// # sweep(&Hub::new(), Duration::from_secs(60));
    /// ```
    pub fn local_connections(&self) -> Connections {
        let ids = self.0.registry.lock().ids();
        Connections::new(self, ids)
    }

    /// Returns the connection with this id, if it is open and connected to this node.
    #[must_use]
    pub fn local_connection(&self, id: ConnId) -> Option<ConnRef> {
        self.0.connection(id).map(ConnRef::new)
    }

    /// Returns the keys of all users with a connection to this node, in no particular order.
    ///
    /// Copies every key while the registry is locked, so do not call this for each message.
    #[must_use]
    pub fn local_users(&self) -> Vec<Arc<str>> {
        self.0.registry.lock().users()
    }

    /// Subscribes to the events of users: who comes online and goes offline, and with which
    /// connections.
    ///
    /// Events are in order and begin with this call. A connection counts from
    /// [`identify`](crate::Conn::identify) until its `on_close` hooks are done. A user who reloads
    /// a page goes offline and comes back a moment later.
    ///
    /// With a [broker](HubBuilder::broker), `Online` and `Offline` are about all nodes: the first
    /// connection to any node, and the end of the last one that is known. Each node reports them once.
    /// Other nodes tell of their users within 200 ms; those of a node that dies go offline after 9 s,
    /// and so do those of all other nodes when this node has lost the broker. `ConnectionAdded` and
    /// `ConnectionEnded` are about this node's connections. An event may come that belongs to a change
    /// just before this call.
    ///
    /// Each reader gets all events and may lag behind by
    /// [`max_queued_user_events`](HubBuilder::max_queued_user_events).
    ///
    /// ```
    /// use switchboard::{Hub, UserEvent};
    ///
    /// async fn watch(hub: Hub) {
    ///     let mut events = hub.user_events();
    ///     // Lets the task end with the hub.
    ///     drop(hub);
    ///     while let Some(event) = events.next().await {
    ///         match event {
    ///             UserEvent::Online { user, .. } => println!("{user} came online"),
    ///             UserEvent::Offline { user, .. } => println!("{user} went offline"),
    ///             UserEvent::Missed { count, .. } => println!("{count} events were missed"),
    ///             _ => {}
    ///         }
    ///     }
    /// }
    /// # let _ = watch(Hub::new());
    /// ```
    #[must_use]
    pub fn user_events(&self) -> UserEvents {
        if let Some(link) = &self.0.link {
            link.watch_users();
        }
        self.0.users.subscribe()
    }
}
