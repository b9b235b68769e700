//! Draining: everyone is told, what runs ends, nobody new comes.

use std::time::{Duration, Instant};

use serde_json::json;
use switchboard_tests::{client::Server, conformance};
use tokio::sync::mpsc;

use crate::server;

async fn drain(server: &Server, seconds: f64) {
    assert_eq!(server.http("POST", "/drain", Some(json!({ "seconds": seconds }))).await.0, 202);
}

#[tokio::test]
async fn row_503_new_upgrades_are_refused() {
    let server = server();
    assert_eq!(server.http("GET", "/health", None).await.0, 200);
    let mut client = server.connect("/ws").await;
    client.send_request("SLEEP", "s", json!({ "ms": 200 })).await;
    super::heartbeat::round_trip(&mut client).await;
    drain(&server, 0.0).await;
    let refusal = server.upgrade("/ws", &[]).await.unwrap_err();
    assert_eq!(refusal.status.as_u16(), 503);
    assert!(refusal.headers.contains_key("retry-after"));
    assert_eq!(server.http("GET", "/health", None).await.0, 503);
    // What runs comes to its end; what comes now does not begin.
    client.send_request("ADD", "late", json!({ "a": 1, "b": 2 })).await;
    let late = client.recv().await;
    assert_eq!((&late["meta"]["correlationId"], &late["payload"]["code"]), (&json!("late"), &json!("UNAVAILABLE")));
    assert_eq!(client.recv().await["type"], "SLEPT");
    assert_eq!(client.expect_close().await, (1012, "server restarting".to_owned()));
}

#[tokio::test]
async fn fault_41_connections_are_closed_one_after_the_other() {
    let (stop, mut stopped) = mpsc::channel(1);
    let server = Server::start(conformance::app_with(stop));
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(server.connect("/ws").await);
    }
    let begin = Instant::now();
    drain(&server, 0.5).await;
    let mut closings = tokio::task::JoinSet::new();
    for mut client in clients {
        closings.spawn(async move {
            assert_eq!(client.skip_to_close().await, 1012);
            begin.elapsed()
        });
    }
    let mut times = closings.join_all().await;
    times.sort();
    assert!(times[9] - times[0] >= Duration::from_millis(300), "{times:?}");
    stopped.recv().await.unwrap();
}

#[tokio::test]
async fn what_waits_behind_a_handler_is_told_to_come_again() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send_request("SLEEP", "runs", json!({ "ms": 300 })).await;
    client.send_request("ADD", "waits", json!({ "a": 1, "b": 2 })).await;
    super::heartbeat::round_trip(&mut client).await;
    drain(&server, 0.0).await;
    let waits = client.recv().await;
    assert_eq!((&waits["meta"]["correlationId"], &waits["payload"]["code"]), (&json!("waits"), &json!("UNAVAILABLE")));
    assert_eq!(client.recv().await["meta"]["correlationId"], "runs");
    assert_eq!(client.expect_close().await.0, 1012);
}

#[tokio::test]
async fn what_still_runs_after_the_grace_is_dropped() {
    let (stop, mut stopped) = mpsc::channel(1);
    let server = Server::start(conformance::app_with(stop));
    let mut client = server.connect("/ws").await;
    client.send_request("SLEEP", "s", json!({ "ms": 60_000 })).await;
    super::heartbeat::round_trip(&mut client).await;
    drain(&server, 0.0).await;
    assert_eq!(client.expect_close().await.0, 1012);
    tokio::time::timeout(Duration::from_secs(20), stopped.recv()).await.unwrap().unwrap();
}
