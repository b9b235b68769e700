//! `examples/rate-limiting` over real sockets, one test per row of the checklist.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::test::{TestApp, TestClient};
use switchboard_tests::client::{Client, Server};
use tokio::time::advance;

fn server() -> Server {
    Server::start(rate_limiting::app())
}

async fn joined(server: &Server, path: &str) -> Client {
    let mut client = server.connect(path).await;
    join(&mut client, "global").await;
    assert_eq!(client.expect("JOIN_SUCCESS").await, json!({ "channel": "global" }));
    client
}

async fn join(client: &mut Client, channel: &str) {
    client.send("JOIN_CHANNEL", json!({ "channel": channel })).await;
}

/// Sends a message. Returns the message itself or an error.
async fn say(client: &mut Client) -> Value {
    client.send("CHAT_MESSAGE", json!({ "text": "hi" })).await;
    client.recv().await
}

/// Sends this many messages, which all pass.
async fn say_often(client: &mut Client, times: usize) {
    for n in 0..times {
        let heard = say(client).await;
        assert_eq!((&heard["type"], &heard["payload"]), (&json!("CHAT_MESSAGE"), &json!({ "text": "hi" })), "{n}");
    }
}

/// Returns the error of the next message, which exceeds the limit.
async fn refused(client: &mut Client, text: &str, window_ms: u64) -> Value {
    let message = say(client).await;
    check_refused(&message, text, window_ms);
    message["payload"].clone()
}

fn check_refused(message: &Value, text: &str, window_ms: u64) {
    assert_eq!(message["type"], "ERROR", "{message}");
    let error = &message["payload"];
    assert_eq!((&error["code"], &error["message"]), (&json!("RESOURCE_EXHAUSTED"), &json!(text)));
    assert_eq!(error["retryable"], true);
    let wait = error["retryAfterMs"].as_u64().unwrap();
    // Fixed windows may be 2 ms longer.
    assert!((1..=window_ms + 2).contains(&wait), "{wait}");
}

#[tokio::test]
async fn each_connection_has_its_own_sliding_window() {
    let server = server();
    let mut ann = joined(&server, "/ws").await;
    say_often(&mut ann, 10).await;
    refused(&mut ann, "Too many messages. Please slow down.", 60_000).await;
    // Joins have their own limit: this is the second of five.
    for channel in ["a", "b", "c", "d"] {
        join(&mut ann, channel).await;
        ann.expect("JOIN_SUCCESS").await;
    }
    join(&mut ann, "e").await;
    check_refused(&ann.recv().await, "Too many join requests.", 300_000);
    // Another client has not sent anything yet, and neither has a new connection.
    let mut bob = joined(&server, "/ws").await;
    ann.close(1000).await;
    say_often(&mut bob, 10).await;
    let mut ann = joined(&server, "/ws").await;
    say_often(&mut ann, 10).await;
}

#[tokio::test]
async fn a_message_passes_after_the_time_in_the_error() {
    let server = Server::start(rate_limiting::app_at_speed(100));
    let mut client = joined(&server, "/ws").await;
    // However slow this runs, this many do not fit into any 600 ms.
    let mut passed = 0;
    let wait = loop {
        let message = say(&mut client).await;
        if message["type"] == "ERROR" {
            check_refused(&message, "Too many messages. Please slow down.", 600);
            break message["payload"]["retryAfterMs"].as_u64().unwrap();
        }
        passed += 1;
        assert!(passed < 10_000, "the limit was never reached");
    };
    assert!(passed >= 10, "{passed}");
    // A client waits like this, which is what the test shows.
    tokio::time::sleep(Duration::from_millis(wait)).await;
    say_often(&mut client, 1).await;
}

/// Returns how many of the texts come back. Without a network, so that the clock can be paused.
async fn passed(client: &mut TestClient, count: usize) -> usize {
    let mut passed = 0;
    for _ in 0..count {
        client.send_json(json!({ "type": "CHAT_MESSAGE", "payload": { "text": "hi" } })).await;
        passed += usize::from(client.recv_json::<Value>().await["type"] == "CHAT_MESSAGE");
    }
    passed
}

async fn joined_with_a_stopped_clock(path: &str) -> TestClient {
    let mut client = TestApp::axum(rate_limiting::app(), path).connect().await.unwrap();
    client.send_json(json!({ "type": "JOIN_CHANNEL", "payload": { "channel": "global" } })).await;
    assert_eq!(client.recv_json::<Value>().await["type"], "JOIN_SUCCESS");
    client
}

/// Half at the beginning of a minute and half at its end: then only the first half is free again.
#[tokio::test(start_paused = true)]
async fn the_window_slides() {
    let mut client = joined_with_a_stopped_clock("/ws").await;
    assert_eq!(passed(&mut client, 5).await, 5);
    advance(Duration::from_secs(59)).await;
    assert_eq!(passed(&mut client, 6).await, 5);
    advance(Duration::from_millis(1100)).await;
    assert_eq!(passed(&mut client, 6).await, 5);
    advance(Duration::from_secs(58)).await;
    assert_eq!(passed(&mut client, 1).await, 0);
}

/// Five joins in any 300 s, to the millisecond.
#[tokio::test(start_paused = true)]
async fn joins_have_300_seconds() {
    async fn join(client: &mut TestClient) -> Value {
        client.send_json(json!({ "type": "JOIN_CHANNEL", "payload": { "channel": "a" } })).await;
        client.recv_json().await
    }
    // The first join has left the window.
    let mut client = joined_with_a_stopped_clock("/ws").await;
    for _ in 0..4 {
        assert_eq!(join(&mut client).await["type"], "JOIN_SUCCESS");
    }
    let refused = join(&mut client).await;
    assert_eq!(refused["payload"]["message"], "Too many join requests.");
    assert_eq!(refused["payload"]["retryAfterMs"], 300_000);
    advance(Duration::from_millis(299_999)).await;
    assert_eq!(join(&mut client).await["payload"]["retryAfterMs"], 1);
    advance(Duration::from_millis(1)).await;
    for _ in 0..5 {
        assert_eq!(join(&mut client).await["type"], "JOIN_SUCCESS");
    }
    assert_eq!(join(&mut client).await["payload"]["retryAfterMs"], 300_000);
}

/// With fixed windows, the whole limit is free at the end of the first window, even if most
/// messages came late in it.
#[tokio::test(start_paused = true)]
async fn fixed_windows_follow_each_other() {
    let mut client = joined_with_a_stopped_clock("/windows").await;
    advance(Duration::from_millis(9900)).await;
    assert_eq!(passed(&mut client, 20).await, 19);
    advance(Duration::from_millis(110)).await;
    assert_eq!(passed(&mut client, 21).await, 20);
}

#[tokio::test]
async fn errors_name_the_limit_and_the_connection_stays() {
    let server = server();
    let mut client = joined(&server, "/ws").await;
    say_often(&mut client, 10).await;
    for _ in 0..3 {
        refused(&mut client, "Too many messages. Please slow down.", 60_000).await;
    }
    // Other routes are not limited.
    join(&mut client, "other").await;
    client.expect("JOIN_SUCCESS").await;
}

#[tokio::test]
async fn messages_reach_only_joined_channels() {
    let server = server();
    let (mut ann, mut bob) = (joined(&server, "/ws").await, server.connect("/ws").await);
    bob.send("CHAT_MESSAGE", json!({ "text": "to those who listen" })).await;
    assert_eq!(ann.expect("CHAT_MESSAGE").await, json!({ "text": "to those who listen" }));
    // Bob has not joined, and the answer to this arrives first.
    join(&mut bob, "global").await;
    assert_eq!(bob.expect("JOIN_SUCCESS").await, json!({ "channel": "global" }));
    for (length, is_good) in [(0, false), (1, true), (200, true), (201, false)] {
        ann.send("CHAT_MESSAGE", json!({ "text": "x".repeat(length) })).await;
        if is_good {
            for client in [&mut ann, &mut bob] {
                assert_eq!(client.expect("CHAT_MESSAGE").await["text"].as_str().unwrap().len(), length);
            }
        } else {
            ann.expect_error("ERROR", "INVALID_ARGUMENT").await;
        }
    }
    join(&mut ann, "no channel").await;
    ann.expect_error("ERROR", "INVALID_ARGUMENT").await;
}

#[tokio::test]
async fn a_middleware_limits_all_routes_together() {
    let server = server();
    let mut client = joined(&server, "/all").await;
    say_often(&mut client, 8).await;
    join(&mut client, "other").await;
    client.expect("JOIN_SUCCESS").await;
    // One join, eight messages and a join: ten.
    refused(&mut client, "Too many messages. Max 10 per minute.", 60_000).await;
    join(&mut client, "third").await;
    check_refused(&client.recv().await, "Too many messages. Max 10 per minute.", 60_000);
}

#[tokio::test]
async fn excluded_types_do_not_count_in_fixed_windows() {
    let server = server();
    let mut listener = joined(&server, "/windows").await;
    let mut client = joined(&server, "/windows").await;
    say_often(&mut client, 19).await;
    for message_type in ["TYPING_START", "TYPING_STOP"].repeat(15) {
        client.text(json!({ "type": message_type }).to_string()).await;
    }
    let error = refused(&mut client, "Rate limit exceeded", 10_000).await;
    let seconds = error["details"]["secondsRemaining"].as_u64().unwrap();
    assert_eq!(seconds, error["retryAfterMs"].as_u64().unwrap().div_ceil(1000));
    assert_eq!(error["details"], json!({ "secondsRemaining": seconds, "maxMessages": 20, "windowMs": 10_000 }));
    // All typing notices arrived, and still do.
    client.text(json!({ "type": "TYPING_START" }).to_string()).await;
    for message_type in ["CHAT_MESSAGE"; 19].into_iter().chain(["TYPING_START", "TYPING_STOP"].repeat(15)) {
        listener.expect(message_type).await;
    }
    listener.expect("TYPING_START").await;
}
