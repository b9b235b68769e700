//! The page, and the routes for monitoring.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use axum::{
    Json, Router,
    extract::State,
    http::{
        HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    routing::{MethodRouter, get},
};
use serde::{Deserialize, Serialize};
use switchboard::{Hub, cluster::Health};
use tower_http::set_header::SetResponseHeaderLayer;

use super::rooms::ROOMS;

/// Only scripts, styles and WebSockets of the same origin, and no framing of the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What the routes for monitoring show.
#[derive(Debug, Clone)]
pub(crate) struct Monitored {
    pub(crate) name: Arc<str>,
    pub(crate) hub: Hub,
    pub(crate) published: Arc<AtomicU64>,
}

/// The figures of a node: the answer of `/status`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) node: String,
    /// The state of the link: `starting`, `healthy`, `probing`, `suspect`, `disconnected`, `draining`.
    pub(crate) health: String,
    /// The other nodes that this one knows.
    pub(crate) nodes: usize,
    pub(crate) connections: usize,
    /// Subscribers of rooms at this node.
    pub(crate) members: usize,
    /// Messages that this node has published since its start.
    pub(crate) published: u64,
    /// Gaps that this node has told its clients.
    pub(crate) gaps: u64,
    pub(crate) draining: bool,
}

/// Everything but the WebSocket.
pub(crate) fn router(monitored: Monitored) -> Router {
    Router::new()
        .route("/", file(HTML, include_str!("../../static/index.html")))
        .route("/app.js", file(SCRIPT, include_str!("../../static/app.js")))
        .route("/composer.js", file(SCRIPT, include_str!("../../static/composer.js")))
        .route("/connection.js", file(SCRIPT, include_str!("../../static/connection.js")))
        .route("/outbox.js", file(SCRIPT, include_str!("../../static/outbox.js")))
        .route("/people.js", file(SCRIPT, include_str!("../../static/people.js")))
        .route("/storage.js", file(SCRIPT, include_str!("../../static/storage.js")))
        .route("/typing.js", file(SCRIPT, include_str!("../../static/typing.js")))
        .route("/view.js", file(SCRIPT, include_str!("../../static/view.js")))
        .route("/log.js", file(SCRIPT, include_str!("../../static/log.js")))
        .route("/client/rooms.js", file(SCRIPT, include_str!("../../static/client/rooms.js")))
        .route("/client/validators.js", file(SCRIPT, include_str!("../../static/client/validators.js")))
        .route("/client/switchboard-client.js", file(SCRIPT, include_str!("../../static/client/switchboard-client.js")))
        .route("/style.css", file(STYLE, include_str!("../../static/style.css")))
        .route("/favicon.svg", file(SVG, include_str!("../../static/favicon.svg")))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/status", get(status))
        .with_state(monitored)
}

/// Headers for all routes.
pub(crate) fn with_layers(router: Router) -> Router {
    router
        // The files have no versioned names, and an old script must not talk to a new server.
        .layer(header(CACHE_CONTROL, "no-cache"))
        .layer(header(CONTENT_SECURITY_POLICY, POLICY))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(REFERRER_POLICY, "no-referrer"))
}

fn header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

fn file<S: Clone + Send + Sync + 'static>(content_type: &'static str, text: &'static str) -> MethodRouter<S> {
    get(async move || ([(CONTENT_TYPE, content_type)], text))
}

/// Liveness: the process answers.
async fn healthz() -> &'static str {
    "ok"
}

/// Readiness: whether new clients should come here. Not whether the broker is there: if it fails, it fails for all nodes,
/// and a page that can connect can say so.
async fn readyz(State(Monitored { hub, .. }): State<Monitored>) -> (StatusCode, &'static str) {
    if hub.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if hub.health() == Some(Health::Starting) {
        (StatusCode::SERVICE_UNAVAILABLE, "the broker was not reached yet")
    } else {
        (StatusCode::OK, "ready")
    }
}

async fn status(State(Monitored { name, hub, published }): State<Monitored>) -> Json<Status> {
    let (stats, cluster) = (hub.stats(), hub.cluster_stats());
    Json(Status {
        node: name.as_ref().into(),
        health: hub.health().map(|health| format!("{health:?}").to_lowercase()).unwrap_or_default(),
        nodes: cluster.map_or(0, |cluster| cluster.nodes),
        connections: stats.connections,
        members: ROOMS.iter().map(|room| hub.topic(room.topic()).local_subscriber_count()).sum(),
        published: published.load(Relaxed),
        gaps: cluster.map_or(0, |cluster| cluster.gaps),
        draining: hub.is_draining(),
    })
}
