//! What the conformance server does over plain HTTP.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard::Hub;

use super::messages::Said;

#[derive(Deserialize)]
pub(super) struct Text {
    text: String,
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

pub(super) async fn health() -> Json<Value> {
    Json(json!({ "ready": true, "degraded": false }))
}
