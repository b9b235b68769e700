//! The messages between client and server.

use serde_json::{Map, Value};
use switchboard::{ws_message, ws_payload};

use crate::names::check_names;

// From client to server.

/// Subscribes to topics.
#[ws_message("SUBSCRIBE")]
pub(crate) struct Subscribe {
    #[validate(length(min = 1, max = 50), custom(function = "check_names"))]
    pub(crate) topics: Vec<String>,
}

/// Unsubscribes from topics.
#[ws_message("UNSUBSCRIBE")]
pub(crate) struct Unsubscribe {
    #[validate(length(min = 1, max = 50), custom(function = "check_names"))]
    pub(crate) topics: Vec<String>,
}

// From server to client.

/// The first message: notifications to this client use its id.
#[ws_message("WELCOME")]
pub(crate) struct Welcome {
    pub(crate) client_id: String,
}

#[ws_message("SUBSCRIBE_SUCCESS")]
pub(crate) struct SubscribeSuccess {
    pub(crate) topics: Vec<String>,
}

#[ws_message("UNSUBSCRIBE_SUCCESS")]
pub(crate) struct UnsubscribeSuccess {
    pub(crate) topics: Vec<String>,
}

/// A notification. A client that gets it by topic and in person gets it twice, with one id.
#[ws_message("NOTIFICATION")]
#[derive(Clone)]
pub(crate) struct Notification {
    /// A UUID.
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[validate(length(min = 1, max = 100))]
    pub(crate) title: String,
    #[validate(length(min = 1, max = 2000))]
    pub(crate) message: String,
    /// Any JSON that the application likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Map<String, Value>>,
    /// Milliseconds since 1970.
    pub(crate) timestamp: u64,
}

/// The style in which to show it.
#[ws_payload]
#[derive(Clone, Copy, Default)]
pub(crate) enum Kind {
    #[default]
    Info,
    Warning,
    Error,
    Success,
}
