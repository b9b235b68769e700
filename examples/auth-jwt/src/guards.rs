//! Extractors that admit only some users, like route middleware in other frameworks. A handler
//! takes them before its message.

use switchboard::{ConnParts, FromConnParts, WsError};

use crate::at_upgrade::Visitor;

/// A user with a valid token.
pub(crate) struct SignedIn;

impl<S: Sync> FromConnParts<S, Visitor> for SignedIn {
    type Rejection = WsError;

    async fn from_conn_parts(parts: &ConnParts<Visitor>, _: &S) -> Result<Self, WsError> {
        if parts.data().user.authenticated {
            Ok(Self)
        } else {
            Err(WsError::unauthenticated("Authentication required"))
        }
    }
}

/// An administrator.
pub(crate) struct Admin;

impl<S: Sync> FromConnParts<S, Visitor> for Admin {
    type Rejection = WsError;

    async fn from_conn_parts(parts: &ConnParts<Visitor>, _: &S) -> Result<Self, WsError> {
        if parts.data().user.is_admin() { Ok(Self) } else { Err(WsError::permission_denied("Admin access required")) }
    }
}
