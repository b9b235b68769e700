//! An extractor of this application's own, for what handlers need besides `Conn`.
//!
//! It has no `reply`. The return value of a handler is the reply, and has the `correlationId` of
//! the message.

use switchboard::{Conn, ConnParts, ErrorCode, FromConnParts, Message, WsError};

use crate::{
    GLOBAL,
    session::{Role, Session},
};

/// Shortcuts for common operations of handlers.
pub(crate) struct Context {
    conn: Conn<Session>,
}

impl<S: Sync> FromConnParts<S, Session> for Context {
    type Rejection = WsError;

    async fn from_conn_parts(parts: &ConnParts<Session>, _: &S) -> Result<Self, WsError> {
        Ok(Self { conn: parts.conn() })
    }
}

impl Context {
    /// Sends a message to all connected clients.
    pub(crate) async fn broadcast(&self, message: impl Message<Meta = ()>) -> Result<(), WsError> {
        self.conn.publish(GLOBAL, message).await?;
        Ok(())
    }

    /// Creates an error in the form that all errors of this application have: return it to send it
    /// to the client.
    pub(crate) fn error(&self, code: ErrorCode, message: &'static str, detail: (&str, &str)) -> WsError {
        WsError::new(code, message).with_detail(detail.0, detail.1).with_detail("clientId", self.conn.id().to_string())
    }

    pub(crate) fn has_role(&self, role: Role) -> bool {
        self.conn.data().has_role(role)
    }

    /// Returns an error unless the user is an administrator.
    pub(crate) fn require_admin(&self) -> Result<(), WsError> {
        if self.has_role(Role::Admin) {
            return Ok(());
        }
        Err(self.error(ErrorCode::PermissionDenied, "Admin access required", ("role", "admin")))
    }

    pub(crate) fn conn(&self) -> &Conn<Session> {
        &self.conn
    }
}
