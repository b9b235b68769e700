//! Draining: everyone is told, what runs ends, nobody new comes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::StatusCode};
use serde_json::json;
use switchboard::{Config, Hub, WsRouter, ws_message};
use switchboard_tests::{
    client::{PATIENCE, Server},
    conformance,
    serve::{listen, ws_route},
};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::server;

async fn drain(server: &Server, seconds: f64) {
    assert_eq!(server.http("POST", "/drain", Some(json!({ "seconds": seconds }))).await.0, 202);
}

#[tokio::test]
async fn new_upgrades_are_refused_with_503() {
    let server = server();
    assert_eq!(server.http("GET", "/health", None).await.0, 200);
    let mut client = server.connect("/ws").await;
    client.send_request("SLEEP", "s", json!({ "ms": 1000 })).await;
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
async fn connections_are_closed_one_after_the_other() {
    let (stop, mut stopped) = mpsc::channel(1);
    let server = Server::start(conformance::app_with(&conformance::hub().build(), stop));
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
async fn messages_queued_behind_a_handler_are_answered_with_a_retryable_error_at_drain() {
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
async fn handlers_that_run_after_the_grace_are_dropped() {
    let (stop, mut stopped) = mpsc::channel(1);
    let server = Server::start(conformance::app_with(&conformance::hub().build(), stop));
    let mut client = server.connect("/ws").await;
    client.send_request("SLEEP", "s", json!({ "ms": 60_000 })).await;
    super::heartbeat::round_trip(&mut client).await;
    drain(&server, 0.0).await;
    assert_eq!(client.expect_close().await.0, 1012);
    tokio::time::timeout(Duration::from_secs(20), stopped.recv()).await.unwrap().unwrap();
}

#[ws_message("HOLD")]
struct Hold {}

#[ws_message("HELD")]
struct Held {}

async fn hold(State(go): State<Arc<Notify>>, _: Hold) -> Held {
    go.notified().await;
    Held {}
}

/// A client that is told to go may take as long as `close_timeout`, and the drain does not end before it has gone.
#[tokio::test]
async fn a_drain_ends_when_the_last_connection_has_gone() {
    let hub = Hub::new();
    let go = Arc::new(Notify::new());
    let ws = WsRouter::new().hub(hub.clone()).config(Config::new().close_timeout(Duration::from_secs(3600))).on(hold);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(go));
    let mut clients = [server.connect("/ws").await, server.connect("/ws").await];
    // One has a handler that never ends, and is closed after the grace.
    clients[0].send("HOLD", json!({})).await;
    super::heartbeat::round_trip(&mut clients[1]).await;
    let drained = hub.clone();
    let drain = tokio::spawn(async move {
        drained.drain(Duration::ZERO).grace(Duration::from_millis(50)).await;
        drained.local_connections().count()
    });
    for client in &mut clients {
        assert_eq!(client.skip_to_close().await, 1012);
    }
    assert_eq!(tokio::time::timeout(PATIENCE, drain).await.unwrap().unwrap(), 0);
}

/// An upgrade that is decided while the hub drains is refused, or its connection is told to go at once.
#[tokio::test]
async fn connections_that_come_during_a_drain_are_told_to_go() {
    let (hub, asked, go) = (Hub::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let wait = {
        let (asked, go) = (Arc::clone(&asked), Arc::clone(&go));
        async move || {
            asked.notify_one();
            go.notified().await;
            Ok::<_, StatusCode>(())
        }
    };
    let (quick, slow) = (WsRouter::<()>::new().hub(hub.clone()), WsRouter::new().hub(hub.clone()).authenticate(wait));
    let routes = Router::new().route("/quick", ws_route(quick)).route("/slow", ws_route(slow));
    let server = Arc::new(Server::start(routes));
    // It does not read that it must go, so the drain goes on.
    let stays = server.connect("/quick").await;
    let late = Arc::clone(&server);
    let late = tokio::spawn(async move { late.upgrade("/slow", &[]).await });
    asked.notified().await;
    let drain = tokio::spawn(hub.drain(Duration::ZERO).grace(Duration::MAX).into_future());
    super::detached::until(|| hub.is_draining()).await;
    go.notify_one();
    match late.await.unwrap() {
        Ok(mut late) => assert_eq!(late.skip_to_close().await, 1012),
        Err(refusal) => assert_eq!(refusal.status, StatusCode::SERVICE_UNAVAILABLE),
    }
    drop(stays);
    tokio::time::timeout(PATIENCE, drain).await.unwrap().unwrap();
}

/// As the guide does it.
#[tokio::test]
async fn axums_graceful_shutdown_waits_for_the_connections() {
    let (hub, go) = (Hub::new(), Arc::new(Notify::new()));
    let ws = WsRouter::new().hub(hub.clone()).on(hold);
    let app = Router::new().route("/ws", ws_route(ws)).with_state(Arc::clone(&go));
    let listener = listen(0).unwrap();
    let addr = listener.local_addr().unwrap();
    let (signal, signalled) = oneshot::channel::<()>();
    let draining = hub.clone();
    let stop = async move {
        signalled.await.unwrap();
        draining.drain(Duration::ZERO).await;
    };
    let serving = tokio::spawn(axum::serve(listener, app).with_graceful_shutdown(stop).into_future());
    let server = Server { addr, task: tokio::spawn(async {}) };
    let mut client = server.connect("/ws").await;
    client.send("HOLD", json!({})).await;
    super::heartbeat::round_trip(&mut client).await;
    signal.send(()).unwrap();
    while !hub.is_draining() {
        tokio::task::yield_now().await;
    }
    // It is served still, and says so to who comes now.
    assert_eq!(server.upgrade("/ws", &[]).await.unwrap_err().status.as_u16(), 503);
    assert!(!serving.is_finished());
    go.notify_one();
    client.expect("HELD").await;
    assert_eq!(client.expect_close().await.0, 1012);
    drop(client);
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
    assert_eq!(hub.stats().connections, 0);
}
