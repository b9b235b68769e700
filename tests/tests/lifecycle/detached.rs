//! Handlers that run to completion without their connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, extract::State};
use serde_json::json;
use switchboard::{Config, Hub, RouteOptions, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{PATIENCE, Server},
    serve::ws_route,
};
use tokio::sync::Semaphore;

#[ws_message("STORE")]
struct Store {
    panics: bool,
}

#[derive(Clone)]
struct Work {
    /// How many may come to their end.
    go: Arc<Semaphore>,
    done: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

struct Guard(Work, bool);

impl Drop for Guard {
    #[expect(clippy::manual_assert, clippy::panic, reason = "what is tested")]
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
        if self.1 {
            panic!("as planned");
        }
    }
}

async fn store(State(work): State<Work>, store: Store) {
    let _guard = Guard(work.clone(), store.panics);
    work.go.acquire().await.unwrap().forget();
    work.done.fetch_add(1, SeqCst);
}

#[ws_message("KEPT")]
struct Kept {}

#[ws_rpc("KEEP", response = Kept)]
struct Keep {}

async fn keep(State(work): State<Work>, _: Keep) -> Kept {
    let _guard = Guard(work.clone(), false);
    work.go.acquire().await.unwrap().forget();
    work.done.fetch_add(1, SeqCst);
    Kept {}
}

fn serve(config: Config) -> (Server, Hub, Work) {
    let (hub, counter) = (Hub::new(), Arc::<AtomicUsize>::default);
    let work = Work { go: Arc::new(Semaphore::new(0)), done: counter(), dropped: counter() };
    let options = || RouteOptions::new().run_to_completion();
    let ws = WsRouter::new().hub(hub.clone()).config(config).on_with(store, options());
    let ws = ws.on_with(keep, options().concurrent(3));
    let app = Router::new().route("/ws", ws_route(ws)).with_state(work.clone());
    (Server::start(app), hub, work)
}

pub(super) async fn until(what: impl Fn() -> bool) {
    let wait = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

#[tokio::test]
async fn draining_waits_for_them() {
    let (server, hub, work) = serve(Config::new());
    let mut client = server.connect("/ws").await;
    client.send("STORE", json!({ "panics": false })).await;
    until(|| hub.stats().running_handlers == 1).await;
    assert_eq!(hub.stats().detached_handlers, 0);
    drop(client);
    until(|| hub.stats().connections == 0).await;
    assert_eq!((hub.stats().running_handlers, hub.stats().detached_handlers), (0, 1));
    let (drain, done) = (hub.drain(Duration::ZERO).grace(Duration::MAX), Arc::clone(&work.done));
    let drain = tokio::spawn(async move {
        drain.await;
        done.load(SeqCst)
    });
    until(|| hub.is_draining()).await;
    work.go.add_permits(1);
    let done_before = tokio::time::timeout(PATIENCE, drain).await.unwrap().unwrap();
    assert_eq!((done_before, hub.stats().detached_handlers), (1, 0));
}

#[tokio::test]
async fn draining_waits_no_longer_than_its_grace() {
    let (server, hub, _work) = serve(Config::new());
    let mut client = server.connect("/ws").await;
    client.send("STORE", json!({ "panics": false })).await;
    until(|| hub.stats().running_handlers == 1).await;
    drop(client);
    until(|| hub.stats().detached_handlers == 1).await;
    let drain = hub.drain(Duration::ZERO).grace(Duration::from_millis(50));
    tokio::time::timeout(PATIENCE, drain.into_future()).await.unwrap();
    assert_eq!(hub.stats().detached_handlers, 1);
}

/// Those over the limit are dropped, even if that panics.
#[tokio::test]
async fn detached_handlers_are_limited() {
    let (server, hub, work) = serve(Config::new().max_detached(1));
    for detached in 1..=3 {
        let mut client = server.connect("/ws").await;
        client.send("STORE", json!({ "panics": detached > 1 })).await;
        until(|| hub.stats().running_handlers == 1).await;
        drop(client);
        until(|| hub.stats().connections == 0).await;
        assert_eq!((hub.stats().detached_handlers, work.dropped.load(SeqCst)), (1, detached - 1));
    }
    work.go.add_permits(3);
    until(|| hub.stats().detached_handlers == 0).await;
    assert_eq!((work.done.load(SeqCst), work.dropped.load(SeqCst)), (1, 3));
    // There is room again.
    let mut client = server.connect("/ws").await;
    client.send("STORE", json!({ "panics": false })).await;
    until(|| work.done.load(SeqCst) == 2).await;
}

/// The issue's: one client that requests and aborts, again and again.
#[tokio::test]
async fn attack_a9_one_connection_cannot_take_all_places() {
    let (server, hub, work) = serve(Config::new().max_detached(8).max_detached_per_connection(2));
    let mut client = server.connect("/ws").await;
    let mut exhausted = 0;
    for request in 0..20 {
        let id = request.to_string();
        client.send_request("KEEP", &id, json!({})).await;
        if request >= 2 {
            let details = client.expect_error("RPC_ERROR", "RESOURCE_EXHAUSTED").await["details"].clone();
            assert_eq!(details, json!({ "limit": 2, "current": 2 }));
            exhausted += 1;
            continue;
        }
        until(|| hub.stats().running_handlers == 1).await;
        client.text(json!({ "type": "$ws:abort", "meta": { "correlationId": id } }).to_string()).await;
        client.expect_error("RPC_ERROR", "CANCELLED").await;
        assert_eq!(hub.stats().detached_handlers, request + 1);
    }
    assert_eq!((exhausted, work.dropped.load(SeqCst)), (18, 0));
    // Others have room.
    let mut other = server.connect("/ws").await;
    other.send_request("KEEP", "1", json!({})).await;
    until(|| hub.stats().running_handlers == 1).await;
    drop(other);
    until(|| hub.stats().detached_handlers == 3).await;
    // And so has this one as soon as one of its own has come to its end.
    work.go.add_permits(3);
    until(|| hub.stats().detached_handlers == 0).await;
    assert_eq!(work.done.load(SeqCst), 3);
    work.go.add_permits(1);
    client.send_request("KEEP", "last", json!({})).await;
    client.expect("KEPT").await;
    assert_eq!((work.done.load(SeqCst), work.dropped.load(SeqCst)), (4, 4));
}

/// What runs when a client leaves comes to its end, however much that is.
#[tokio::test]
async fn detached_handlers_that_have_started_are_not_dropped() {
    let (server, hub, work) = serve(Config::new().max_detached_per_connection(1));
    let mut client = server.connect("/ws").await;
    for id in ["1", "2", "3"] {
        client.send_request("KEEP", id, json!({})).await;
    }
    until(|| hub.stats().running_handlers == 3).await;
    drop(client);
    until(|| hub.stats().detached_handlers == 3).await;
    work.go.add_permits(3);
    until(|| hub.stats().detached_handlers == 0).await;
    assert_eq!(work.done.load(SeqCst), 3);
}
