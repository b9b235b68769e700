//! The HTTP routes about a user's connections, on all nodes.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};
use switchboard::{Gathered, Hub};

use super::{http::Text, messages::Note};

pub(super) async fn connections(State(hub): State<Hub>, Path(user): Path<String>) -> Json<Value> {
    let connections = hub.user(user).connection_count().await;
    Json(json!({ "connections": *connections, "complete": connections.is_complete() }))
}

pub(super) async fn message(
    State(hub): State<Hub>,
    Path(user): Path<String>,
    Json(Text { text }): Json<Text>,
) -> Result<Json<Value>, (StatusCode, String)> {
    match hub.user(user).send(Note { text }).await {
        Ok(connections) => Ok(counted(connections)),
        Err(error) => Err((StatusCode::BAD_REQUEST, error.to_string())),
    }
}

pub(super) async fn disconnect(State(hub): State<Hub>, Path(user): Path<String>) -> Json<Value> {
    counted(hub.user(user).disconnect().await)
}

pub(super) async fn revoke(State(hub): State<Hub>, Path((user, topic)): Path<(String, String)>) -> Json<Value> {
    counted(hub.user(user).revoke(topic).await)
}

fn counted(connections: Gathered<usize>) -> Json<Value> {
    Json(json!({ "connections": *connections }))
}
