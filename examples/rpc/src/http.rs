//! The page.

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    routing::{MethodRouter, get},
};

/// Only scripts, styles and WebSockets of the same origin, and no framing of the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Everything but the WebSocket.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", file(HTML, include_str!("../static/index.html")))
        .route("/app.js", file(SCRIPT, include_str!("../static/app.js")))
        .route("/card.js", file(SCRIPT, include_str!("../static/card.js")))
        .route("/client/rpc.js", file(SCRIPT, include_str!("../static/client/rpc.js")))
        .route("/client/switchboard-client.js", file(SCRIPT, include_str!("../static/client/switchboard-client.js")))
        .route("/style.css", file(STYLE, include_str!("../static/style.css")))
}

fn file<S: Clone + Send + Sync + 'static>(content_type: &'static str, text: &'static str) -> MethodRouter<S> {
    let headers = [
        (CONTENT_TYPE, content_type),
        // The files have no versioned names, and an old script must not talk to a new server.
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    get(async move || (headers, text))
}
