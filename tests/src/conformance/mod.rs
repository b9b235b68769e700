//! The application for black-box protocol tests.

mod handlers;
mod http;
mod jobs;
mod messages;
mod users;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::FromRef,
    http::{StatusCode, header::CONTENT_TYPE},
    routing::{get, post},
};
use switchboard::{
    BearerToken, Config, EnvelopeStyle, Hub, HubBuilder, RateLimitLayer, RouteOptions, SlowConsumer, TokenSources,
    TopicOptions, WsRouter,
};
use tokio::sync::mpsc;

use self::jobs::Jobs;
use crate::serve::ws_route;

/// The state of all routes: one hub.
#[derive(Clone, Debug)]
pub struct App {
    hub: Hub,
    jobs: Jobs,
    /// Notified when the server is drained.
    stop: mpsc::Sender<()>,
}

impl FromRef<App> for Hub {
    fn from_ref(app: &App) -> Self {
        app.hub.clone()
    }
}

impl FromRef<App> for Jobs {
    fn from_ref(app: &App) -> Self {
        app.jobs.clone()
    }
}

/// The user of a connection.
#[derive(Debug, Default)]
pub struct User {
    /// The name known since the upgrade.
    name: Option<&'static str>,
}

/// Returns the application with a hub of its own.
pub fn app() -> Router {
    let (stop, _) = mpsc::channel(1);
    app_with(&hub().build(), stop)
}

/// Returns the hub with its topics.
pub fn hub() -> HubBuilder {
    Hub::builder()
        .topic("open:*", TopicOptions::new().allow_subscribe().carries::<messages::Said>())
        .topic("drop:*", TopicOptions::new().slow_consumer(SlowConsumer::DropOldest))
}

/// Returns the application on a hub. Sends to `stop` once the server is drained.
pub fn app_with(hub: &Hub, stop: mpsc::Sender<()>) -> Router {
    let app = App { hub: hub.clone(), jobs: Jobs::default(), stop };
    let plain = || handlers::router(&app, RouteOptions::new());
    let anyone = async || Ok::<_, StatusCode>(User::default());
    let secure = || plain().tokens(TokenSources::new().cookie("auth_token")).authenticate(authenticate);
    let styled = |style| ws_route(plain().envelope(style).authenticate(anyone));
    let contract = plain().contract("/ws");
    let asyncapi = switchboard_codegen::asyncapi(&contract).to_string();
    let client = http::client(&contract);
    Router::new()
        .route("/ws", ws_route(plain().authenticate(anyone)))
        .route("/ws/rooms/{room}", ws_route(plain().authenticate(anyone)))
        .route("/binary", ws_route(plain().on_binary(handlers::reversed).authenticate(anyone)))
        .route("/flat", styled(EnvelopeStyle::Flat))
        .route("/data", styled(EnvelopeStyle::PayloadKey("data".into())))
        .route("/limited", ws_route(limited(&app).authenticate(anyone)))
        .route("/secure", ws_route(secure()))
        .route("/secure-close", ws_route(secure().refuse_after_accept()))
        .route("/contract.json", get(async move || Json(contract.clone())))
        .route("/asyncapi.json", get(async move || ([(CONTENT_TYPE, "application/json")], asyncapi.clone())))
        .route("/client.ts", get(async move || client.clone()))
        .route("/publish/{topic}", post(http::publish))
        .route("/topics/{topic}", get(http::topic))
        .route("/users/{user}", get(users::connections))
        .route("/users/{user}/message", post(users::message))
        .route("/users/{user}/disconnect", post(users::disconnect))
        .route("/users/{user}/revoke/{topic}", post(users::revoke))
        .route("/jobs/{job}", get(jobs::runs))
        .route("/stats", get(http::stats))
        .route("/health", get(http::health))
        .route("/drain", post(http::drain))
        .with_state(app)
}

fn limited(app: &App) -> WsRouter<App, User> {
    let config = Config::new()
        .max_requests(2)
        .ping_interval(Duration::from_secs(1))
        .pong_timeout(Duration::from_secs(1))
        .identify_timeout(Duration::from_secs(2))
        .max_outbound_bytes(256 * 1024);
    let rate = RateLimitLayer::per_connection(5, Duration::from_secs(1)).exclude(["PING"]);
    handlers::router(app, handlers::beside()).on(handlers::auth).layer(rate).config(config)
}

/// Returns the user of a token.
fn user_of(token: &str) -> Option<&'static str> {
    ["alice", "bob"].into_iter().find(|user| *user == token)
}

async fn authenticate(token: BearerToken) -> Result<User, StatusCode> {
    match token.as_str() {
        "boom" => Err(StatusCode::INTERNAL_SERVER_ERROR),
        token => user_of(token).map(|name| User { name: Some(name) }).ok_or(StatusCode::UNAUTHORIZED),
    }
}
