//! Section 8: the defaults.

use switchboard::Config;

#[test]
fn rows_of_section_8() {
    let config = format!("{:?}", Config::new());
    for expected in [
        "max_message_bytes: 65536",
        "max_outbound_bytes: 1048576",
        "max_fragments: 1024",
        "message_timeout: 10s",
        "write_timeout: 3s",
        "max_inbox_messages: 32",
        "max_inbox_bytes: 65536",
        "max_inbox_during_call: (256,",
        "max_requests: 64",
        "handler_timeout: 30s",
        "max_request_timeout: 300s",
        "call_timeout: 10s",
        "ping_interval: Some(25s)",
        "pong_timeout: 10s",
        "close_timeout: 2s",
        "max_subscriptions: 128",
        "max_queued_progress: 16",
        "max_bad_messages: 20",
        "max_connections: None",
        "max_connections_per_user: None",
        "max_connections_per_ip: None",
        "upgrade_timeout: 10s",
        "hook_timeout: 10s",
    ] {
        assert!(config.contains(expected), "{expected} is not in {config}");
    }
}
