//! Authentication.

use axum::http::StatusCode;
use switchboard::{BearerToken, TokenSources};

/// The data of a connection.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
}

/// `?token=…`, and the header, which browsers cannot send.
pub(crate) fn token_sources() -> TokenSources {
    TokenSources::new().query("token")
}

pub(crate) async fn authenticate(token: BearerToken) -> Result<User, StatusCode> {
    verify(token.as_str()).await.ok_or(StatusCode::UNAUTHORIZED)
}

/// Stands for a database. The example `auth-jwt` has real tokens.
async fn verify(token: &str) -> Option<User> {
    let id = token.strip_suffix("-token").filter(|id| ["ann", "bob"].contains(id))?;
    Some(User { id: id.to_owned(), email: format!("{id}@example.com") })
}
