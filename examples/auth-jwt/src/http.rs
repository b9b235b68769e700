//! The HTTP routes.

use std::{collections::VecDeque, sync::Mutex};

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use switchboard::{Conn, ErrorCode, Failure, SendError};

use crate::{Shared, in_band::Session, lock, users};

/// How many errors are kept.
const MAX_ERRORS: usize = 100;

#[derive(Deserialize)]
pub(crate) struct Credentials {
    username: String,
    password: String,
}

#[derive(Serialize)]
pub(crate) struct Issued {
    token: String,
}

/// Returns a token for a name and a password.
pub(crate) async fn token(
    State(app): State<Shared>,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Issued>, StatusCode> {
    let Credentials { username, password } = credentials;
    let checked = users::check_password(&username, &password).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let user = checked.ok_or(StatusCode::UNAUTHORIZED)?;
    if app.people.is_banned(&user.user_id) {
        return Err(StatusCode::FORBIDDEN);
    }
    let token = app.tokens.issue(&user).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(Issued { token }))
}

/// The last messages that failed, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Errors(Mutex<VecDeque<Failed>>);

/// A message that failed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failed {
    client_id: String,
    message_type: Option<&'static str>,
    code: String,
}

/// The hook `on_error`: records the connection and the error, which was sent to the client already.
pub(crate) async fn failed(conn: Conn<Session>, State(app): State<Shared>, failure: Failure) -> Result<(), SendError> {
    record(&conn, &app, &failure);
    if *failure.error().code() != ErrorCode::Internal {
        return Ok(());
    }
    // Built by hand, because the type belongs to the protocol.
    let notice = json!({ "type": "ERROR", "payload": { "code": "INTERNAL", "message": "An error occurred" } });
    conn.send_text(notice.to_string())
}

fn record(conn: &Conn<Session>, app: &Shared, failure: &Failure) {
    let mut errors = lock(&app.errors.0);
    if errors.len() == MAX_ERRORS {
        errors.pop_front();
    }
    errors.push_back(Failed {
        client_id: conn.id().to_string(),
        message_type: failure.message_type(),
        code: failure.error().code().to_string(),
    });
}

/// Returns the recorded errors.
pub(crate) async fn errors(State(app): State<Shared>) -> Json<Vec<Failed>> {
    Json(lock(&app.errors.0).iter().cloned().collect())
}
