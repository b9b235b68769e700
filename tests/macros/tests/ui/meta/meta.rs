use switchboard::{ws_message, ws_meta};

#[ws_meta]
struct Reserved {
    client_id: String,
    received_at: u64,
    timestamp: u64,
    #[serde(rename = "correlationId")]
    id: String,
    #[serde(alias = "timeoutMs")]
    limit: u64,
    #[serde(rename = "key")]
    idempotency_key: String,
}

// The wire name counts.
#[ws_meta(rename_all = "snake_case")]
struct Free {
    client_id: String,
}

#[ws_meta]
struct Tuple(String);

#[ws_meta]
struct Generic<T> {
    a: T,
}

#[ws_meta(allow_unknown)]
struct Options {}

struct Plain;

#[ws_message("NOTE", meta = Plain)]
struct Note {}

#[ws_message("FREE", meta = Free)]
struct HasFree {}

fn main() {}
