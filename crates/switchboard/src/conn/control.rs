//! Control frames of the extended dialect: `$ws:hello` and `$ws:goaway`.

use std::time::Duration;

use serde::Serialize;

use crate::{
    conn::{AnyConn, ConnInner},
    wire::encode,
};

/// `$ws:hello`: the first frame.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hello<'a> {
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat_ms: Option<u64>,
    contract: &'a str,
    limits: HelloLimits,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HelloLimits {
    max_message_bytes: usize,
    max_requests: usize,
    max_subscriptions: usize,
}

/// `$ws:goaway`: the server is about to close.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GoAway {
    reason: &'static str,
    retry_in_ms: u64,
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl<D: ?Sized> ConnInner<D> {
    pub(crate) fn push_hello(&self) {
        let config = self.config();
        let hello = Hello {
            client_id: self.id.to_string(),
            heartbeat_ms: config.ping_interval.map(millis),
            contract: &self.settings.contract,
            limits: HelloLimits {
                max_message_bytes: config.max_message_bytes,
                max_requests: config.max_requests,
                max_subscriptions: config.max_subscriptions,
            },
        };
        if let Some(frame) = encode::control("$ws:hello", None, &hello) {
            // Fails only if the connection is closed.
            _ = self.push(frame);
        }
    }
}

impl AnyConn {
    /// Announces that the connection closes in `closed_in`, and when the client should reconnect:
    /// then, plus a random part of `spread_ms` so that clients do not reconnect all at once.
    pub(crate) fn push_goaway(&self, closed_in: Duration, spread_ms: u64) {
        if !self.dialect.extended {
            return;
        }
        // The end of an id is random.
        let random = self.id.as_bytes().last_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let retry_in_ms = millis(closed_in) + random % spread_ms.max(1);
        let goaway = GoAway { reason: "server restarting", retry_in_ms };
        if let Some(frame) = encode::control("$ws:goaway", None, &goaway) {
            _ = self.push(frame);
        }
    }
}
