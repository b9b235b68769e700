//! The user of a connection, and when the identity expires.

use std::{fmt, sync::Arc, time::Duration};

use switchboard_core::{CloseCode, MessageSet, WsError};
use tokio::time::Instant;

use crate::{
    conn::{AnyConn, Conn, ConnInner},
    hub::Check,
};

/// The user of a connection, with an optional expiry.
///
/// Returned from [`WsRouter::identify`](crate::WsRouter::identify) at the upgrade, or passed to
/// [`Conn::identify`] by a handler.
///
/// ```
/// use std::time::Duration;
///
/// use switchboard::Identity;
///
/// let identity = Identity::new("ann").expires_in(Duration::from_secs(900));
/// assert_eq!(identity.user(), "ann");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Identity {
    user: Arc<str>,
    expires_in: Option<Duration>,
}

impl Identity {
    /// Creates an identity that does not expire. `user` is the application's key for the user.
    pub fn new(user: impl Into<Arc<str>>) -> Self {
        Self { user: user.into(), expires_in: None }
    }

    /// Sets when the identity expires, for example with its token: the connection is closed with
    /// 4001 after this time, unless [`Conn::identify`] is called again first.
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Some(time);
        self
    }

    /// Returns the user's key.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }
}

impl From<&str> for Identity {
    fn from(user: &str) -> Self {
        Self::new(user)
    }
}

impl From<String> for Identity {
    fn from(user: String) -> Self {
        Self::new(user)
    }
}

/// The token of a `$ws:refresh` message: the event of
/// [`on_refresh`](crate::WsRouter::on_refresh). `Debug` does not show it.
#[derive(Clone)]
pub struct RefreshToken(Arc<str>);

impl RefreshToken {
    pub(crate) fn new(token: &str) -> Self {
        Self(token.into())
    }

    /// Returns the token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// The identity of a connection, if it has one.
#[derive(Debug, Default)]
pub(crate) struct CurrentIdentity {
    user: Option<Arc<str>>,
    expires_at: Option<Instant>,
}

impl CurrentIdentity {
    /// Returns the time until the identity expires.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.expires_at.map(|at| at.saturating_duration_since(Instant::now()))
    }
}

impl<D: ?Sized> ConnInner<D> {
    /// Sets or renews the identity.
    ///
    /// The timer is set under the lock, so that of two concurrent calls the last one decides both
    /// the expiry and the timer.
    pub(crate) fn identify(&self, identity: &Identity) -> Result<(), WsError> {
        let mut current = self.cold().identity.lock();
        match &current.user {
            Some(user) if *user != identity.user => {
                return Err(WsError::permission_denied("this connection belongs to another user"));
            }
            Some(_) => {}
            None => {
                if self.outbox.is_closed() {
                    return Err(WsError::cancelled("the connection is closed"));
                }
                self.hub().add_user(&identity.user, self.id).map_err(|full| {
                    WsError::resource_exhausted(format!("too many connections for this user (limit {})", full.limit))
                        .with_detail("limit", full.limit)
                        .with_detail("current", full.current)
                })?;
                current.user = Some(Arc::clone(&identity.user));
            }
        }
        current.expires_at = identity.expires_in.and_then(|time| Instant::now().checked_add(time));
        if let Some(time) = identity.expires_in {
            self.hub().schedule(self, time, Check::Expired);
        }
        drop(current);
        self.hub().send_user_events();
        Ok(())
    }

    /// Closes the connection if the identity has expired. Returns the time until the next check.
    pub(crate) fn check_expiry(&self) -> Option<Duration> {
        let left = self.expires_in();
        if left.is_some_and(|left| left.is_zero()) {
            self.outbox.close(CloseCode::TOKEN_EXPIRED, "token expired");
            return None;
        }
        left
    }

    pub(crate) fn expires_in(&self) -> Option<Duration> {
        self.existing_cold().and_then(|cold| cold.identity.lock().left())
    }

    pub(crate) fn user(&self) -> Option<Arc<str>> {
        self.existing_cold().and_then(|cold| cold.identity.lock().user.clone())
    }
}

impl AnyConn {
    /// Closes the connection if it was not identified in time.
    pub(crate) fn check_identified(&self) {
        if self.user().is_none() {
            self.outbox.close(CloseCode::POLICY, "Authentication required");
        }
    }
}

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    /// Sets or renews the user of the connection, after an in-band login or a token refresh.
    ///
    /// The expiry of the last call counts. An identity without an expiry does not expire.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard::{Conn, Identity, WsError, ws_message};
    ///
    /// #[ws_message("AUTH")]
    /// struct Auth {
    ///     token: String,
    /// }
    ///
    /// async fn auth(conn: Conn, auth: Auth) -> Result<(), WsError> {
    ///     let user = verify(&auth.token).ok_or_else(|| WsError::unauthenticated("Invalid token"))?;
    ///     conn.identify(Identity::new(user).expires_in(Duration::from_secs(900)))
    /// }
    /// # fn verify(token: &str) -> Option<String> { Some(token.into()) }
    /// # let _ = switchboard::WsRouter::<()>::new().on(auth);
    /// ```
    ///
    /// # Errors
    ///
    /// - `PERMISSION_DENIED` if the connection belongs to another user; it keeps that identity.
    /// - `RESOURCE_EXHAUSTED` if the user has
    ///   [`max_connections_per_user`](crate::HubBuilder::max_connections_per_user) connections.
    /// - `CANCELLED` if the connection is closed.
    pub fn identify(&self, identity: impl Into<Identity>) -> Result<(), WsError> {
        self.inner.identify(&identity.into())
    }

    /// Returns the user, if the connection was [identified](Self::identify).
    #[must_use]
    pub fn user(&self) -> Option<Arc<str>> {
        self.inner.user()
    }

    /// Returns the time until the identity expires; `None` if it does not.
    #[must_use]
    pub fn expires_in(&self) -> Option<Duration> {
        self.inner.expires_in()
    }

    /// Runs the [`on_reauthorize`](crate::WsRouter::on_reauthorize) hooks, which decide whether the
    /// connection may stay open, before its next message is handled.
    pub fn reauthorize(&self) {
        self.inner.signal(super::Signal::Reauthorize);
    }
}
