//! The application that black-box clients test the protocol against.

mod handlers;
mod http;
mod messages;

use axum::{
    Router,
    extract::FromRef,
    http::StatusCode,
    routing::{get, post},
};
use switchboard::{BearerToken, Hub, TokenSources};

use crate::serve::ws_route;

/// The state of all routes: one hub.
#[derive(Clone, Debug)]
pub struct App {
    hub: Hub,
}

impl FromRef<App> for Hub {
    fn from_ref(app: &App) -> Self {
        app.hub.clone()
    }
}

/// Who is connected. Nobody in particular on the public routes.
#[derive(Debug)]
pub struct User(Option<&'static str>);

/// The application with a hub of its own.
pub fn app() -> Router {
    let app = App { hub: Hub::new() };
    let open = |app: &App| handlers::router(app).authenticate(async || Ok::<_, StatusCode>(User(None)));
    let binary = handlers::router(&app).on_binary(handlers::reversed);
    let secure = handlers::router(&app).tokens(TokenSources::new().cookie("auth_token")).authenticate(authenticate);
    Router::new()
        .route("/ws", ws_route(open(&app)))
        .route("/ws/rooms/{room}", ws_route(open(&app)))
        .route("/binary", ws_route(binary.authenticate(async || Ok::<_, StatusCode>(User(None)))))
        .route("/secure", ws_route(secure))
        .route("/publish/{topic}", post(http::publish))
        .route("/stats", get(http::stats))
        .route("/health", get(http::health))
        .with_state(app)
}

async fn authenticate(token: BearerToken) -> Result<User, StatusCode> {
    match token.as_str() {
        "alice" => Ok(User(Some("alice"))),
        "bob" => Ok(User(Some("bob"))),
        "boom" => Err(StatusCode::INTERNAL_SERVER_ERROR),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}
