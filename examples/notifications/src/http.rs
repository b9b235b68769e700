//! The HTTP routes.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use switchboard::{Hub, PublishError, PublishErrorKind};
use uuid::Uuid;

use crate::{
    messages::{Kind, Notification},
    names,
};

/// The notification to publish, and its recipients.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Notify {
    #[serde(rename = "type", default)]
    kind: Kind,
    title: String,
    message: String,
    data: Option<Map<String, Value>>,
    topic: Option<String>,
    user_id: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Notified {
    success: bool,
    id: String,
}

/// Why nothing was published.
#[derive(Debug)]
pub(crate) enum Refused {
    NoRecipient,
    BadName(&'static str),
    Unpublished(PublishError),
}

impl From<PublishError> for Refused {
    fn from(error: PublishError) -> Self {
        Self::Unpublished(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            success: bool,
            error: String,
        }
        let (status, error) = match self {
            Self::NoRecipient => (StatusCode::BAD_REQUEST, "topic or userId must say whom it is for".to_owned()),
            Self::BadName(field) => {
                (StatusCode::BAD_REQUEST, format!("{field} must be 1 to 100 letters, digits and -_.:/"))
            }
            Self::Unpublished(error) => match error.kind() {
                PublishErrorKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
                PublishErrorKind::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
                _ => (StatusCode::BAD_REQUEST, error.to_string()),
            },
        };
        (status, Json(Body { success: false, error })).into_response()
    }
}

/// Publishes to a topic, to a client, or to both. Succeeds without subscribers, too.
pub(crate) async fn notify(State(hub): State<Hub>, Json(notify): Json<Notify>) -> Result<Json<Notified>, Refused> {
    let Notify { kind, title, message, data, topic, user_id } = notify;
    let places = [("topic", topic, names::topic as fn(&str) -> String), ("userId", user_id, names::user)];
    // Both recipients are checked before anything is published.
    let mut topics = Vec::new();
    for (field, name, topic) in places {
        let Some(name) = name else { continue };
        if !names::is_name(&name) {
            return Err(Refused::BadName(field));
        }
        topics.push(topic(&name));
    }
    if topics.is_empty() {
        return Err(Refused::NoRecipient);
    }
    let id = Uuid::now_v7().to_string();
    let notification = Notification { id: id.clone(), kind, title, message, data, timestamp: now_ms() };
    for topic in topics {
        // It is checked against its own rules first.
        hub.publish(topic, notification.clone()).await?;
    }
    Ok(Json(Notified { success: true, id }))
}

#[derive(Serialize)]
pub(crate) struct Stats {
    connections: usize,
    topics: usize,
    subscriptions: usize,
}

pub(crate) async fn stats(State(hub): State<Hub>) -> Json<Stats> {
    let stats = hub.stats();
    Json(Stats { connections: stats.connections, topics: stats.topics, subscriptions: stats.subscriptions })
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
