//! What handlers have in this application beside `Conn`: an extractor of its own.
//!
//! There is no `reply` in it. What a handler returns is the reply, and has the `correlationId` of the
//! message.

use switchboard::{Conn, ConnParts, ErrorCode, FromConnParts, Message, WsError};

use crate::{
    GLOBAL,
    session::{Role, Session},
};

/// Shorter words for what many handlers do.
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
    /// To all who are connected.
    pub(crate) async fn broadcast(&self, message: impl Message<Meta = ()>) -> Result<(), WsError> {
        self.conn.publish(GLOBAL, message).await?;
        Ok(())
    }

    /// An error in the form that all of this application's have: return it, and the client gets it.
    pub(crate) fn error(&self, code: ErrorCode, message: &'static str, detail: (&str, &str)) -> WsError {
        WsError::new(code, message).with_detail(detail.0, detail.1).with_detail("clientId", self.conn.id().to_string())
    }

    pub(crate) fn has_role(&self, role: Role) -> bool {
        self.conn.data().has_role(role)
    }

    /// Goes no further without it.
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
