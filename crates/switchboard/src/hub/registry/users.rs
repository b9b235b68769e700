//! Users, each with all their connections.

use std::sync::Arc;

use switchboard_core::{CloseCode, Message};

use crate::{
    conn::{ConnId, SendError, Signal},
    hub::Hub,
    wire::{Variants, encode},
};

/// A user is whom [`WsRouter::identify`](crate::WsRouter::identify) or
/// [`Conn::identify`](crate::Conn::identify) named, on any route that shares the hub.
impl Hub {
    /// Whether a user has a connection.
    #[must_use]
    pub fn is_online(&self, user: &str) -> bool {
        self.0.registry.lock().is_online(user)
    }

    /// Who has a connection, in no order. Looks at all of them while nobody can come or go: not for
    /// each message.
    #[must_use]
    pub fn users(&self) -> Vec<Arc<str>> {
        self.0.registry.lock().users()
    }

    /// The ids of a user's connections, in the order in which they were identified.
    #[must_use]
    pub fn user_connections(&self, user: &str) -> Vec<ConnId> {
        self.0.registry.lock().ids_of(user)
    }

    /// Sends a message to all connections of a user; how many took it, which is 0 for a user who is
    /// not there. It is encoded once, and always validated.
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
    ///     match hub.send_to_user(&user, Notice { text }) {
    ///         Ok(devices) => format!("sent to {devices} devices"),
    ///         Err(error) => error.to_string(),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::SendErrorKind::Invalid) if the message breaks its own rules: nobody got it.
    #[expect(clippy::needless_pass_by_value, reason = "a message that is sent is given away")]
    pub fn send_to_user<M: Message<Meta = ()>>(&self, user: &str, message: M) -> Result<usize, SendError> {
        let frame = encode::event(&message, None, true)?;
        let connections = self.0.registry.lock().of_user(user);
        let mut variants = Variants::default();
        let took = connections.iter().filter(|conn| match conn.variant(&frame, &mut variants) {
            Some(frame) => conn.push_raw(frame),
            None => false,
        });
        Ok(took.count())
    }

    /// Closes all connections of a user with 4503, "kicked"; how many there were.
    ///
    /// Nothing keeps the user from connecting again: refuse that in
    /// [`authenticate`](crate::WsRouter::authenticate), before this is called.
    pub fn disconnect_user(&self, user: &str) -> usize {
        self.disconnect_user_with(user, CloseCode::KICKED, "kicked")
    }

    /// Closes all connections of a user with a code and reason, as
    /// [`Conn::close`](crate::Conn::close) does; how many there were.
    pub fn disconnect_user_with(&self, user: &str, code: impl Into<CloseCode>, reason: impl AsRef<str>) -> usize {
        let (code, reason) = (code.into(), reason.as_ref());
        let connections = self.0.registry.lock().of_user(user);
        connections.iter().for_each(|conn| conn.close(code, reason));
        connections.len()
    }

    /// Has the hooks of [`on_reauthorize`](crate::WsRouter::on_reauthorize) decide again whether
    /// the connections of a user may stay, each before its next message: after the user's rights
    /// have changed. How many there are.
    pub fn reauthorize_user(&self, user: &str) -> usize {
        let connections = self.0.registry.lock().of_user(user);
        connections.iter().for_each(|conn| conn.signal(Signal::Reauthorize));
        connections.len()
    }
}
