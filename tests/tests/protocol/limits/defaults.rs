//! Section 8: the defaults. Times that are too long to wait for are tested in `crates/switchboard/tests`, and what only
//! the native transport limits in `native`.

use std::time::{Duration, Instant};

use axum::Router;
use serde_json::json;
use switchboard::{Config, Conn, Hub, WsRouter, ws_message};
use switchboard_tests::{
    client::{PATIENCE, Server, masked},
    serve::ws_route,
};
use tokio::io::AsyncWriteExt as _;

use crate::delivery::pressure::{assert_not_read, assert_read, ping, serve};
use crate::server;

/// What no test can wait for, and that none is missing.
#[test]
fn rows_of_section_8() {
    let config = format!("{:?}", Config::new());
    let expected = [
        "max_message_bytes: 65536",
        "max_fragments: 1024",
        "message_timeout: 10s",
        "max_control_frames: 500",
        "max_unhandled_messages: 2000",
        "max_messages: None",
        "max_outbound_bytes: 1048576",
        "max_inbox_messages: 32",
        "max_inbox_bytes: 65536",
        "max_inbox_during_call: (256, 524288)",
        "max_requests: 64",
        "max_calls: 64",
        "max_queued_progress: 16",
        "max_detached: 1024",
        "max_detached_per_connection: 16",
        "idempotency: (16384, 16777216, 600s)",
        "idempotency_per_user: (1024, 1048576, 256)",
        "soft_max_message_bytes: None",
        "max_bad_messages: 20",
        "max_subscriptions: 128",
        "max_attributes: 16",
        "handler_timeout: 30s",
        "max_request_timeout: 300s",
        "call_timeout: 10s",
        "ping_interval: Some(25s)",
        "pong_timeout: 10s",
        "identify_timeout: None",
        "reauthorize_interval: None",
        "upgrade_timeout: 10s",
        "hook_timeout: 10s",
        "write_timeout: 3s",
        "close_timeout: 2s",
        "validate_outbound: true",
    ];
    assert_eq!(config, format!("Config {{ {} }}", expected.join(", ")));
    let hub = format!("{:?}", Hub::builder());
    let limits = [
        "max_connections: None",
        "max_connections_per_ip: None",
        "max_connections_per_user: None",
        "max_pending_upgrades: 1024",
    ];
    let expected = [
        "topics: []",
        &format!("limits: HubLimits {{ {} }}", limits.join(", ")),
        "max_queued_bytes: 268435456",
        "max_queued_user_events: 1024",
        "..",
    ];
    assert_eq!(hub, format!("HubBuilder {{ {} }}", expected.join(", ")));
}

#[tokio::test]
async fn messages_are_at_most_as_large_as_documented() {
    let server = serve(Config::new());
    let mut client = server.connect("/ws").await;
    client.text(ping(64 * 1024)).await;
    client.expect("PONG").await;
    client.text(ping(64 * 1024 + 1)).await;
    assert_eq!(client.expect_close().await.0, 1009);
}

#[tokio::test]
async fn the_inbox_has_the_documented_size() {
    let server = serve(Config::new());
    assert_read(&server, &vec![ping(100); 31]).await;
    assert_not_read(&server, &vec![ping(100); 32]).await;
    // Or so many bytes.
    assert_read(&server, &[ping(32 * 1024), ping(32 * 1024 - 1)]).await;
    assert_not_read(&server, &[ping(32 * 1024), ping(32 * 1024)]).await;
}

/// How many messages may stand before the answer to a call.
#[tokio::test]
async fn the_inbox_has_the_documented_hard_limit() {
    let server = server();
    for (waiting, in_time) in [(255, true), (256, false)] {
        let mut client = server.connect("/ws").await;
        client.send("ASK_ME", json!({ "question": "who?" })).await;
        let id = client.recv().await["meta"]["correlationId"].as_str().unwrap().to_owned();
        for n in 0..waiting {
            client.send("PING", json!({ "text": n.to_string() })).await;
        }
        client.send_request("ANSWER", &id, json!({ "text": "me" })).await;
        if in_time {
            assert_eq!(client.expect("ANSWERED").await, json!({ "text": "me" }));
        } else {
            client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
        }
    }
}

#[tokio::test]
async fn subscriptions_of_a_connection_are_limited() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for n in 0..128 {
        client.send("JOIN", json!({ "topic": n.to_string() })).await;
        client.expect("JOINED").await;
    }
    client.send("JOIN", json!({ "topic": "x" })).await;
    client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
}

#[tokio::test]
async fn bad_messages_in_a_row_are_limited() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for bad in [19, 20] {
        for _ in 0..bad {
            client.text("x").await;
            client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        }
        if bad == 19 {
            client.assert_alive().await;
        }
    }
    assert_eq!(client.expect_close().await.0, 1008);
}

#[ws_message("PAD")]
struct Pad {
    pad: String,
}

#[ws_message("SEND")]
struct Send {
    bytes: usize,
}

fn sending() -> Server {
    let send = async |conn: Conn, send: Send| {
        // In one go, so that it is the queue that has to take it.
        _ = conn.send(Pad { pad: "x".repeat(send.bytes) });
    };
    let overflow = async |conn: Conn, _: Pad| {
        while conn.send(Pad { pad: "x".repeat(50_000) }).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().on(send).on(overflow))))
}

#[tokio::test]
async fn the_outbound_queue_has_the_documented_size() {
    let server = sending();
    for (bytes, fits) in [(1024 * 1024 - 1000, true), (1024 * 1024, false)] {
        let mut client = server.connect("/ws").await;
        client.send("SEND", json!({ "bytes": bytes })).await;
        if fits {
            assert_eq!(client.expect("PAD").await["pad"].as_str().unwrap().len(), bytes);
        } else {
            assert_eq!(client.skip_to_close().await, 4002);
        }
    }
}

#[tokio::test]
async fn writing_has_the_documented_timeout() {
    let server = sending();
    let mut client = server.connect("/ws").await;
    let begin = Instant::now();
    client.send("PAD", json!({ "pad": "" })).await;
    // It reads nothing: the server's socket ends under what it writes.
    let closed = async {
        while client.ws.get_mut().write_all(&masked(0x89, b"")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.expect("the end in time");
    let took = begin.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_secs(8)).contains(&took), "{took:?}");
}
