//! What travels between client and server.

use serde_json::{Map, Value};
use switchboard::{ws_message, ws_payload};

use crate::names::check_names;

// Client to server.

/// Wants to hear of topics.
#[ws_message("SUBSCRIBE")]
pub(crate) struct Subscribe {
    #[validate(length(min = 1, max = 50), custom(function = "check_names"))]
    pub(crate) topics: Vec<String>,
}

/// Does not any more.
#[ws_message("UNSUBSCRIBE")]
pub(crate) struct Unsubscribe {
    #[validate(length(min = 1, max = 50), custom(function = "check_names"))]
    pub(crate) topics: Vec<String>,
}

// Server to client.

/// The first message: the client's id is what others notify it by.
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

/// What has happened. Somebody who is notified by topic and in person gets it twice, with one id.
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
    /// Whatever the application likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Map<String, Value>>,
    /// Milliseconds since 1970.
    pub(crate) timestamp: u64,
}

/// How it should look.
#[ws_payload]
#[derive(Clone, Copy, Default)]
pub(crate) enum Kind {
    #[default]
    Info,
    Warning,
    Error,
    Success,
}
