//! The handle to a user.

use std::{fmt, marker::PhantomData, sync::Arc};

use switchboard_core::{AnyMessage, CloseCode, MemberOf, Message, MessageSet, Request};

use crate::{
    TopicName,
    conn::{AnyConn, ConnId, ConnRef, SendError, Signal},
    hub::{CallFirst, Gathered, Hub, calls::Target},
    wire::{Frame, Variants, encode},
};

/// A handle to a user and all of their connections: [`Hub::user`].
///
/// A user is a key that connections were identified with, by
/// [`WsRouter::identify`](crate::WsRouter::identify) or [`Conn::identify`](crate::Conn::identify),
/// on any route that shares the hub. Async methods cover all nodes of the hub, `local` methods only
/// the connections to this node.
///
/// ```
/// use axum::extract::{Path, State};
/// use switchboard::{Hub, ws_message};
///
/// #[ws_message("NOTICE")]
/// struct Notice {
///     text: String,
/// }
///
/// async fn notify(State(hub): State<Hub>, Path(user): Path<String>, text: String) -> String {
///     match hub.user(&user).send(Notice { text }).await {
///         Ok(devices) if devices.is_complete() => format!("sent to {devices} devices"),
///         Ok(devices) => format!("sent to {devices} devices, and a node did not answer"),
///         Err(error) => error.to_string(),
///     }
/// }
/// ```
pub struct UserHandle<Out = AnyMessage> {
    hub: Hub,
    key: Arc<str>,
    out: PhantomData<fn(Out)>,
}

impl<Out: MessageSet> UserHandle<Out> {
    pub(crate) fn new(hub: &Hub, key: &str) -> Self {
        Self { hub: hub.clone(), key: key.into(), out: PhantomData }
    }

    /// Returns the user's key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns whether the user has a connection.
    #[expect(clippy::unused_async, reason = "a later kind of cluster may have to ask")]
    pub async fn is_online(&self) -> bool {
        self.hub.0.registry.lock().is_online(&self.key)
            || self.hub.0.link.as_ref().is_some_and(|link| *link.user_connections(&self.key) > 0)
    }

    /// Returns the number of the user's connections.
    ///
    /// Other nodes are not asked: they tell of their users within 200 ms.
    #[expect(clippy::unused_async, reason = "a later kind of cluster may have to ask")]
    pub async fn connection_count(&self) -> Gathered<usize> {
        match &self.hub.0.link {
            Some(link) => link.user_connections(&self.key),
            None => Gathered::local(self.conns().len()),
        }
    }

    /// Returns the ids of the user's connections, in the order of identification on each node.
    ///
    /// With a [broker](crate::HubBuilder::broker), all nodes are asked, and those that have not answered within 300 ms are
    /// left out: see [`Gathered::is_complete`].
    pub async fn connections(&self) -> Gathered<Vec<ConnId>> {
        if let Some(link) = &self.hub.0.link {
            return link.ids_of_user(&self.key).await;
        }
        Gathered::local(self.hub.0.registry.lock().ids_of(&self.key))
    }

    /// Returns the user's connections to this node, in the order of identification.
    #[must_use]
    pub fn local_connections(&self) -> Vec<ConnRef> {
        self.conns().into_iter().map(ConnRef::new).collect()
    }

    /// Sends a message to all of the user's connections. Returns the number of connections that it
    /// was queued for: 0 if the user is offline.
    ///
    /// With a [broker](crate::HubBuilder::broker), nodes that are known to have the user answer
    /// within a second; if one does not, or the broker cannot be reached, the number is not
    /// [complete](Gathered::is_complete). A connection that another node has identified in the last
    /// 200 ms gets the message, too, but may not be counted. The same holds for
    /// [`disconnect`](Self::disconnect), [`revoke`](Self::revoke) and
    /// [`reauthorize`](Self::reauthorize).
    ///
    /// The message is encoded once and always validated.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::SendErrorKind::Invalid) if the message breaks its own validation rules.
    /// It is sent to no connection then.
    pub async fn send<M: Message<Meta = ()> + MemberOf<Out>>(&self, message: M) -> Result<Gathered<usize>, SendError> {
        let frame = encode::event(&message, None, true)?;
        if let (Some(link), Some(text)) = (&self.hub.0.link, frame.text_payload()) {
            return Ok(link.send_to_user(&self.key, text).await);
        }
        Ok(Gathered::local(send_to_all(&self.conns(), &frame)))
    }

    /// Sends a request to all of the user's connections, on all nodes, and returns the first response.
    ///
    /// A connection that another node has identified in the last 200 ms may not be asked.
    ///
    /// ```
    /// use switchboard::{CallError, Hub, ws_message, ws_rpc};
    ///
    /// #[ws_message("CONFIRMED")]
    /// struct Confirmed {
    ///     yes: bool,
    /// }
    ///
    /// #[ws_rpc("CONFIRM", response = Confirmed)]
    /// struct Confirm {
    ///     question: String,
    /// }
    ///
    /// async fn ask(hub: &Hub, user: &str) -> Result<bool, CallError> {
    ///     let question = "log in on a new device?".into();
    ///     Ok(hub.user(user).call(Confirm { question }).await?.yes)
    /// }
    /// # let _ = ask;
    /// ```
    pub fn call<R: Request<Meta = ()> + MemberOf<Out>>(&self, request: R) -> CallFirst<R> {
        CallFirst::new(&self.hub, Target::User(Arc::clone(&self.key)), request)
    }

    /// Closes all of the user's connections with 4503 ("kicked"). Returns their number.
    ///
    /// The user can connect again unless [`authenticate`](crate::WsRouter::authenticate) refuses.
    ///
    /// ```
    /// use switchboard::Hub;
    ///
    /// async fn log_out(hub: &Hub, user: &str) -> Result<(), &'static str> {
    ///     // End the user's session first, so that their clients cannot come back.
    ///     let closed = hub.user(user).disconnect().await;
    ///     if closed.is_complete() { Ok(()) } else { Err("a node did not answer, try again") }
    /// }
    /// # let _ = log_out;
    /// ```
    pub async fn disconnect(&self) -> Gathered<usize> {
        self.disconnect_with(CloseCode::KICKED, "kicked").await
    }

    /// Closes all of the user's connections with a code and a reason, as
    /// [`Conn::close`](crate::Conn::close) does. Returns their number.
    pub async fn disconnect_with(&self, code: impl Into<CloseCode>, reason: impl AsRef<str>) -> Gathered<usize> {
        let (code, reason) = (code.into(), reason.as_ref());
        if let Some(link) = &self.hub.0.link {
            return link.disconnect_user(&self.key, code, reason).await;
        }
        let conns = self.conns();
        conns.iter().for_each(|conn| conn.close(code, reason));
        Gathered::local(conns.len())
    }

    /// Ends the subscriptions of the user's connections to a topic. Returns their number.
    ///
    /// The user can subscribe again unless
    /// [`authorize_subscribe`](crate::TopicOptions::authorize_subscribe) refuses, so take the right
    /// away first.
    pub async fn revoke(&self, topic: impl TopicName) -> Gathered<usize> {
        let topic = self.hub.name(topic.topic_name());
        if let Some(link) = &self.hub.0.link {
            return link.revoke_user(&self.key, &topic).await;
        }
        let ids = self.hub.0.registry.lock().ids_of(&self.key);
        Gathered::local(ids.into_iter().filter(|id| self.hub.remove_subscriber(&topic, *id)).count())
    }

    /// Runs the [`on_reauthorize`](crate::WsRouter::on_reauthorize) hooks for each of the user's
    /// connections, before its next message is handled: call it after the user's rights have
    /// changed. Returns the number of connections.
    pub async fn reauthorize(&self) -> Gathered<usize> {
        if let Some(link) = &self.hub.0.link {
            return link.reauthorize_user(&self.key).await;
        }
        let conns = self.conns();
        conns.iter().for_each(|conn| conn.signal(Signal::Reauthorize));
        Gathered::local(conns.len())
    }

    fn conns(&self) -> Vec<Arc<AnyConn>> {
        self.hub.0.registry.lock().of_user(&self.key)
    }
}

/// Queues a message for connections. Returns for how many.
pub(crate) fn send_to_all(conns: &[Arc<AnyConn>], frame: &Frame) -> usize {
    let mut variants = Variants::default();
    let took = conns.iter().filter(|conn| match conn.variant(frame, &mut variants) {
        Some(frame) => conn.push_raw(frame),
        None => false,
    });
    took.count()
}

impl<Out> fmt::Debug for UserHandle<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserHandle").field("key", &self.key).finish_non_exhaustive()
    }
}
