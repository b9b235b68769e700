//! Signs users in and out.

use switchboard::{Conn, WsError, WsRouter, ws_message};

use crate::session::{self, Role, Session};

#[ws_message("LOGIN")]
struct Login {
    #[validate(length(min = 1, max = 64))]
    username: String,
    #[validate(length(min = 1, max = 256))]
    password: String,
}

#[ws_message("LOGIN_SUCCESS")]
struct LoginSuccess {
    user_id: String,
    roles: Vec<Role>,
}

#[ws_message("LOGOUT")]
struct Logout;

#[ws_message("LOGOUT_SUCCESS")]
struct LogoutSuccess;

pub(crate) fn ws() -> WsRouter<(), Session> {
    WsRouter::new().on(login).on(logout)
}

async fn login(conn: Conn<Session>, login: Login) -> Result<LoginSuccess, WsError> {
    let user = session::check_password(&login.username, &login.password)
        .ok_or_else(|| WsError::unauthenticated("Invalid credentials"))?;
    let success = LoginSuccess { user_id: user.id.to_owned(), roles: user.roles.to_vec() };
    conn.data().set_user(Some(user));
    Ok(success)
}

async fn logout(conn: Conn<Session>, _: Logout) -> LogoutSuccess {
    conn.data().set_user(None);
    LogoutSuccess
}
