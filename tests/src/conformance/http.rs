//! The HTTP routes of the conformance server.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
};
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard::{Contract, Hub};

use super::{App, messages::Said};

/// The TypeScript of a contract, or why there is none.
pub(super) fn client(contract: &Contract) -> (StatusCode, [(HeaderName, &'static str); 1], String) {
    let (status, text) = match switchboard_codegen::typescript(contract) {
        Ok(file) => (StatusCode::OK, file.to_string()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text)
}

#[derive(Deserialize)]
pub(super) struct Text {
    text: String,
}

#[derive(Deserialize)]
pub(super) struct Drain {
    seconds: f64,
}

pub(super) async fn publish(
    State(hub): State<Hub>,
    Path(topic): Path<String>,
    Json(Text { text }): Json<Text>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let said = Said { topic: topic.clone(), text, from: None };
    match hub.publish(topic, said).await {
        Ok(published) => Ok(Json(json!({ "matched": published.count() }))),
        Err(error) => Err((StatusCode::BAD_REQUEST, error.to_string())),
    }
}

pub(super) async fn stats(State(hub): State<Hub>) -> Json<Value> {
    let stats = hub.stats();
    Json(json!({
        "connections": stats.connections,
        "subscriptions": stats.subscriptions,
        "topics": stats.topics,
    }))
}

pub(super) async fn health(State(hub): State<Hub>) -> (StatusCode, Json<Value>) {
    let ready = !hub.is_draining();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "degraded": false })))
}

/// Drains the server, then stops it.
pub(super) async fn drain(
    State(app): State<App>,
    Json(Drain { seconds }): Json<Drain>,
) -> Result<StatusCode, (StatusCode, String)> {
    let over = Duration::try_from_secs_f64(seconds).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let drain = app.hub.drain(over).into_future();
    tokio::spawn(async move {
        drain.await;
        // The receiver may be dropped, as in tests.
        let _ = app.stop.send(()).await;
    });
    Ok(StatusCode::ACCEPTED)
}
