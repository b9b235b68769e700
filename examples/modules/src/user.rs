//! The handlers for users' own accounts. Nested under `USER.`, a prefix that this module does not
//! know.

use axum::Extension;
use switchboard::{Conn, RouteOptions, WsError, WsRouter, middleware::from_fn, ws_message, ws_rpc};

use crate::{
    middleware::{self, Passed},
    session::{Role, Session},
};

#[ws_rpc("WHO_AM_I", response = Me)]
struct WhoAmI;

/// Absent before `LOGIN`.
#[ws_message("ME")]
struct Me {
    name: Option<String>,
    roles: Vec<Role>,
}

#[ws_rpc("RENAME", response = Renamed)]
struct Rename {
    #[validate(length(min = 1, max = 20))]
    name: String,
}

#[ws_message("RENAMED")]
struct Renamed {
    name: String,
    /// The middleware that the message has passed, outermost first.
    passed: Vec<String>,
}

pub(crate) fn ws() -> WsRouter<(), Session> {
    // Each `layer` wraps those before it. The handler is innermost.
    let chain = RouteOptions::new().layer(from_fn(middleware::check_account)).layer(from_fn(middleware::require_auth));
    WsRouter::new().on(who_am_i).on_with(rename, chain)
}

async fn who_am_i(conn: Conn<Session>, _: WhoAmI) -> Me {
    match conn.data().user() {
        Some(user) => Me { name: Some(user.name), roles: user.roles.to_vec() },
        None => Me { name: None, roles: Vec::new() },
    }
}

async fn rename(
    conn: Conn<Session>,
    Extension(Passed(passed)): Extension<Passed>,
    rename: Rename,
) -> Result<Renamed, WsError> {
    if !conn.data().rename(rename.name.clone()) {
        return Err(WsError::unauthenticated("Authentication required"));
    }
    Ok(Renamed { name: rename.name, passed: passed.into_iter().map(str::to_owned).collect() })
}
