//! The page, and the routes for monitoring.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{
        HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    routing::{MethodRouter, get},
};
use serde::Serialize;
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer, trace::TraceLayer};

use crate::store::{Store, now_ms};

/// Only scripts, styles and WebSockets of the same origin, and no framing of the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Everything but the WebSocket.
pub(crate) fn router(store: Arc<Store>) -> Router {
    Router::new()
        .route("/", file(HTML, include_str!("../static/index.html")))
        .route("/app.js", file(SCRIPT, include_str!("../static/app.js")))
        .route("/composer.js", file(SCRIPT, include_str!("../static/composer.js")))
        .route("/connection.js", file(SCRIPT, include_str!("../static/connection.js")))
        .route("/dialogs.js", file(SCRIPT, include_str!("../static/dialogs.js")))
        .route("/ids.js", file(SCRIPT, include_str!("../static/ids.js")))
        .route("/outbox.js", file(SCRIPT, include_str!("../static/outbox.js")))
        .route("/storage.js", file(SCRIPT, include_str!("../static/storage.js")))
        .route("/typing.js", file(SCRIPT, include_str!("../static/typing.js")))
        .route("/view.js", file(SCRIPT, include_str!("../static/view.js")))
        .route("/client/chat.js", file(SCRIPT, include_str!("../static/client/chat.js")))
        .route("/client/validators.js", file(SCRIPT, include_str!("../static/client/validators.js")))
        .route("/client/switchboard-client.js", file(SCRIPT, include_str!("../static/client/switchboard-client.js")))
        .route("/style.css", file(STYLE, include_str!("../static/style.css")))
        .route("/favicon.svg", file(SVG, include_str!("../static/favicon.svg")))
        .route("/health", get(health))
        .route("/stats", get(stats))
        .with_state(store)
}

/// Headers, compression and traces for all routes, including the WebSocket's upgrade.
pub(crate) fn with_layers(router: Router) -> Router {
    router
        // The files have no versioned names, and an old script must not talk to a new server.
        .layer(header(CACHE_CONTROL, "no-cache"))
        .layer(header(CONTENT_SECURITY_POLICY, POLICY))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(REFERRER_POLICY, "no-referrer"))
        .layer(CompressionLayer::new())
        .layer(TraceLayer::new_for_http())
}

fn header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

fn file<S: Clone + Send + Sync + 'static>(content_type: &'static str, text: &'static str) -> MethodRouter<S> {
    get(async move || ([(CONTENT_TYPE, content_type)], text))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    users_online: usize,
    rooms: Vec<RoomStats>,
    timestamp: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoomStats {
    id: String,
    user_count: usize,
}

async fn stats(State(store): State<Arc<Store>>) -> Json<Stats> {
    let rooms = store.rooms();
    let rooms = rooms.iter().map(|room| RoomStats { id: room.id().into(), user_count: room.count() });
    Json(Stats { users_online: store.users_online(), rooms: rooms.collect(), timestamp: now_ms() })
}
