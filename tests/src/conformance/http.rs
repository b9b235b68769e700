//! The HTTP routes of the conformance server.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
};
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard::{Contract, Hub, PublishErrorKind, cluster::Health};

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
    pub(super) text: String,
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
        // Null with a broker: nobody knows how many on other nodes.
        Ok(published) => Ok(Json(json!({ "matched": published.count() }))),
        Err(error) => Err(match error.kind() {
            PublishErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, outcome("refused")),
            PublishErrorKind::Unknown => (StatusCode::SERVICE_UNAVAILABLE, outcome("unknown")),
            _ => (StatusCode::BAD_REQUEST, error.to_string()),
        }),
    }
}

fn outcome(outcome: &str) -> String {
    json!({ "outcome": outcome }).to_string()
}

/// Whether this node knows of all nodes.
pub(super) fn is_complete(hub: &Hub) -> bool {
    hub.health().is_none_or(|health| health == Health::Healthy)
}

pub(super) async fn topic(State(hub): State<Hub>, Path(topic): Path<String>) -> Json<Value> {
    let subscribers = hub.topic(topic).subscriber_count().await;
    Json(json!({ "subscribers": *subscribers, "complete": subscribers.is_complete() }))
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
    let state = match hub.health() {
        None => "none",
        Some(Health::Healthy | Health::Draining) => "connected",
        Some(Health::Probing | Health::Suspect) => "deaf",
        Some(_) => "connecting",
    };
    let mut broker = json!({ "state": state });
    if let Some(silence) = hub.broker_silence() {
        broker["probeMs"] = json!(u64::try_from(silence.as_millis()).unwrap_or(u64::MAX));
    }
    let node = hub.node_id().map_or_else(|| "local".to_owned(), |node| node.to_string());
    let nodes = hub.cluster_stats().map_or(0, |stats| stats.nodes) + 1;
    let health = json!({
        "ready": ready,
        "degraded": !is_complete(&hub),
        "node": node,
        "nodes": nodes,
        "broker": broker,
    });
    (status, Json(health))
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
