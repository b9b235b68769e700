//! A member of a topic, as rules see it.

use std::{any::Any, fmt, net::IpAddr, sync::Arc};

use crate::{
    conn::{AnyConn, Attributes, ConnId},
    hub::{Hub, TopicName},
};

/// A connection as the rules of topics see it, whatever its route's data: who is asking to
/// subscribe or publish, or whom a message is for.
///
/// ```
/// use switchboard::Member;
///
/// struct User {
///     is_admin: bool,
/// }
///
/// fn is_admin(member: &Member) -> bool {
///     member.data::<User>().is_some_and(|user| user.is_admin)
/// }
/// ```
#[derive(Clone)]
pub struct Member(Arc<AnyConn>);

impl Member {
    pub(crate) fn new(conn: Arc<AnyConn>) -> Self {
        Self(conn)
    }

    pub(crate) fn inner(&self) -> &Arc<AnyConn> {
        &self.0
    }

    pub(crate) fn hub(&self) -> &Hub {
        self.0.hub()
    }

    /// The connection's id.
    #[must_use]
    pub fn id(&self) -> ConnId {
        self.0.id
    }

    /// Whose connection it is, if that was said: see [`Conn::identify`](crate::Conn::identify).
    #[must_use]
    pub fn user(&self) -> Option<Arc<str>> {
        self.0.user()
    }

    /// What handlers keep with the connection.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'_> {
        self.0.attributes()
    }

    /// What authentication returned, if it is a `T` on this connection's route.
    #[must_use]
    pub fn data<T: Any>(&self) -> Option<&T> {
        self.0.data.downcast_ref()
    }

    /// The client's address, as [`Conn::client_ip`](crate::Conn::client_ip).
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.0.client_ip()
    }

    /// Whether it is subscribed to a topic.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a name is lent or given away, as the caller likes")]
    pub fn is_subscribed(&self, topic: impl TopicName) -> bool {
        // The application's code, and so run before anything is locked.
        let name = self.0.hub().name(topic.topic_name());
        self.0.subscriptions.lock().contains(&name)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Member").field(&self.0.id).finish()
    }
}
