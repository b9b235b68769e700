//! The text frames that a client reads and writes.

use serde::Deserialize;
use serde_json::{Value, json};
use switchboard::Message;

use crate::messages::{Patch, Update};

/// A received message.
#[derive(Deserialize)]
pub(super) struct Envelope {
    #[serde(rename = "type")]
    pub(super) message_type: String,
    #[serde(default)]
    pub(super) meta: Meta,
    #[serde(default)]
    pub(super) payload: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) correlation_id: Option<String>,
}

/// An own change that the server has not confirmed.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) client_req_id: String,
    pub(super) base_rev: Option<u64>,
    pub(super) patch: Patch,
}

impl Pending {
    /// Uses the id also as the `correlationId`, by which an error is assigned to this change.
    pub(super) fn frame(&self) -> String {
        let Self { client_req_id, base_rev, patch } = self;
        let meta = json!({ "correlationId": client_req_id });
        let mut payload = json!({ "patch": patch, "clientReqId": client_req_id });
        if let (Some(rev), Some(payload)) = (base_rev, payload.as_object_mut()) {
            payload.insert("baseRev".to_owned(), json!(rev));
        }
        json!({ "type": Update::TYPE, "meta": meta, "payload": payload }).to_string()
    }
}
