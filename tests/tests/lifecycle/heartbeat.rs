//! Heartbeats: who does not answer is closed, who is only slow is not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use axum::{Router, extract::State};
use serde_json::json;
use switchboard::{CloseReason, Config, Conn, Hub, WsRouter, ws_message};
use switchboard_tests::{
    client::{Client, PATIENCE, Server},
    serve::ws_route,
};
use tokio::{io::AsyncReadExt as _, sync::watch};

use crate::server;

/// An application heartbeat, which is answered although a handler runs.
pub(crate) async fn round_trip(client: &mut Client) {
    client.text(r#"{"type":"__heartbeat"}"#).await;
    let ack = client.recv().await;
    assert_eq!(ack["type"], "__heartbeat_ack");
    assert!(ack["meta"]["ts"].is_u64());
}

#[ws_message("TRIP")]
struct Trip {}

#[ws_message("TRIPPED")]
struct Tripped {
    micros: Option<u64>,
}

async fn trip(conn: Conn, _: Trip) -> Tripped {
    Tripped { micros: conn.round_trip().map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)) }
}

#[derive(Clone, Default)]
struct Seen {
    stale: Arc<AtomicUsize>,
    /// Why the connection was closed, and how often it was stale before.
    closed: watch::Sender<Option<(String, usize)>>,
}

fn app(seen: Seen) -> Router {
    let config = Config::new().ping_interval(Duration::from_millis(100)).pong_timeout(Duration::from_millis(100));
    let stale = async |State(seen): State<Seen>| {
        seen.stale.fetch_add(1, SeqCst);
    };
    let closed = async |State(seen): State<Seen>, reason: CloseReason| {
        seen.closed.send_replace(Some((reason.reason().to_owned(), seen.stale.load(SeqCst))));
    };
    let ws = WsRouter::new().config(config).on(trip).on_stale(stale).on_close(closed);
    Router::new().route("/ws", ws_route(ws)).with_state(seen)
}

#[tokio::test]
async fn a_missing_pong_gets_1008() {
    let seen = Seen::default();
    let server = Server::start(app(seen.clone()));
    let client = server.connect("/ws").await;
    let begin = Instant::now();
    // The bare socket: nobody answers pings there.
    let mut stream = client.ws.into_inner();
    let mut bytes = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(10), async {
        while !bytes.windows(17).any(|part| part == b"Heartbeat timeout") {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "{bytes:?}");
        }
    });
    end.await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(180));
    assert_eq!(bytes[..2], [0x89, 0], "a ping came first");
    drop(stream);
    let mut closed = seen.closed.subscribe();
    let closed = tokio::time::timeout(PATIENCE, closed.wait_for(Option::is_some)).await.unwrap().unwrap();
    assert_eq!(*closed, Some(("Heartbeat timeout".to_owned(), 1)));
}

#[tokio::test]
async fn a_member_of_a_busy_topic_that_does_not_answer_is_noticed() {
    let beat = Duration::from_millis(100);
    let hub = Hub::new();
    let opened = async |conn: Conn| conn.subscribe("busy").await.map(|_| ());
    let config = Config::new().ping_interval(beat).pong_timeout(beat);
    let ws = WsRouter::<()>::new().hub(hub.clone()).config(config).on_open(opened);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    // Nobody reads here, but the kernel has room for all of it.
    let client = server.connect("/ws").await;
    let closed = async {
        while hub.stats().connections > 0 {
            hub.publish("busy", Trip {}).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.unwrap();
    drop(client);
}

#[tokio::test]
async fn a_client_that_answers_pings_stays_and_its_round_trip_is_known() {
    let server = Server::start(app(Seen::default()));
    let mut client = server.connect("/ws").await;
    let mut seen = None;
    for _ in 0..40 {
        client.send("TRIP", json!({})).await;
        seen = seen.or(client.expect("TRIPPED").await["micros"].as_u64());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let micros = seen.unwrap();
    assert!((1..2_000_000).contains(&micros), "{micros}");
}

#[tokio::test]
async fn the_pong_deadline_waits_while_nothing_is_read() {
    let server = server();
    let mut client = server.connect("/limited").await;
    client.send("AUTH", json!({ "token": "alice" })).await;
    client.expect("AUTHED").await;
    // One that takes longer than ping and pong together, and more behind it than the inbox holds.
    client.send("SLOW", json!({ "id": 1, "ms": 4000 })).await;
    for _ in 0..100 {
        client.send("PING", json!({ "text": "x" })).await;
    }
    assert_eq!(client.expect("DONE").await, json!({ "id": 1 }));
    for _ in 0..100 {
        client.expect("PONG").await;
    }
}

#[tokio::test]
async fn an_overflow_is_told_before_a_missing_pong() {
    let server = server();
    let mut client = server.connect("/limited").await;
    client.send("AUTH", json!({ "token": "alice" })).await;
    client.expect("AUTHED").await;
    client.send("FLOOD", json!({ "count": 100_000, "bytes": 4096 })).await;
    // Reads nothing until the server has given up.
    let mut other = server.connect("/ws").await;
    let given_up = async {
        loop {
            let seen = other.request("INSPECT", "i", json!({})).await;
            if seen["payload"]["running"] == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), given_up).await.unwrap();
    assert_eq!(client.skip_to_close().await, 4002);
}
