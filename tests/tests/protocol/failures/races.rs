//! Section 2: whatever wants the last word on a request, exactly one has it.

use std::time::{Duration, Instant};

use axum::{Router, extract::State};
use serde_json::json;
use switchboard::{Progress, RouteOptions, SendErrorKind, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, PATIENCE, Server, masked},
    serve::ws_route,
};
use tokio::sync::mpsc;

#[ws_message("DONE")]
struct Done {}

/// Takes so many steps, beside the connection's task or within it.
#[ws_rpc("WORK", response = Done)]
struct Work {
    steps: u32,
    apart: bool,
}

async fn work(work: Work) -> Done {
    let steps = async move {
        for _ in 0..work.steps {
            tokio::task::yield_now().await;
        }
    };
    if work.apart {
        tokio::spawn(steps).await.unwrap()
    } else {
        steps.await
    }
    Done {}
}

/// How many requests were aborted in time, of many; each has had one terminal.
async fn race(client: &mut Client, rounds: u32) -> u32 {
    let mut aborted = 0;
    for round in 0..rounds {
        let id = round.to_string();
        let payload = json!({ "steps": round * 37 % 400, "apart": round % 2 == 0 });
        let request = json!({ "type": "WORK", "meta": { "correlationId": id }, "payload": payload }).to_string();
        let abort = json!({ "type": "$ws:abort", "meta": { "correlationId": id } }).to_string();
        let (request, abort) = (masked(0x81, request.as_bytes()), masked(0x81, abort.as_bytes()));
        if round % 3 == 0 {
            // Both are read in one turn.
            client.raw(&[request, abort].concat()).await;
        } else {
            client.raw(&request).await;
            client.raw(&abort).await;
        }
        client.text(r#"{"type":"__heartbeat"}"#).await;
        let terminal = client.recv().await;
        assert_eq!(terminal["meta"]["correlationId"], id, "{terminal}");
        match terminal["type"].as_str() {
            Some("DONE") => {}
            _ => {
                assert_eq!(terminal["payload"]["code"], "CANCELLED", "{terminal}");
                aborted += 1;
            }
        }
        // The abort was handled by now: nothing more can come.
        assert_eq!(client.recv().await["type"], "__heartbeat_ack");
    }
    aborted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abort_races_the_reply() {
    for options in
        [RouteOptions::new(), RouteOptions::new().concurrent(4), RouteOptions::new().run_to_completion().concurrent(4)]
    {
        let ws = WsRouter::<()>::new().on_with(work, options);
        let server = Server::start(Router::new().route("/ws", ws_route(ws)));
        let mut client = server.connect("/ws").await;
        let aborted = race(&mut client, 500).await;
        assert!((1..500).contains(&aborted), "one of the two always won: {aborted}");
    }
}

/// Takes so long, in steps, beside the connection's task or within it.
#[ws_rpc("SPIN", response = Done)]
struct Spin {
    us: u64,
    apart: bool,
}

async fn spin(spin: Spin) -> Done {
    let steps = async move {
        let end = Instant::now() + Duration::from_micros(spin.us);
        while Instant::now() < end {
            tokio::task::yield_now().await;
        }
    };
    if spin.apart {
        tokio::spawn(steps).await.unwrap()
    } else {
        steps.await
    }
    Done {}
}

/// How many of many requests were too late; each has had one terminal.
async fn race_the_deadline(client: &mut Client, rounds: u64) -> u64 {
    let mut late = 0;
    for round in 0..rounds {
        let meta = json!({ "correlationId": round.to_string(), "timeoutMs": 1 });
        let payload = json!({ "us": round * 37 % 3000, "apart": round % 2 == 0 });
        client.text(json!({ "type": "SPIN", "meta": meta, "payload": payload }).to_string()).await;
        let terminal = client.recv().await;
        // A second terminal of the round before would come here.
        assert_eq!(terminal["meta"]["correlationId"], round.to_string(), "{terminal}");
        match terminal["type"].as_str() {
            Some("DONE") => {}
            _ => {
                assert_eq!(terminal["type"], "RPC_ERROR", "{terminal}");
                assert_eq!(terminal["payload"]["code"], "DEADLINE_EXCEEDED", "{terminal}");
                late += 1;
            }
        }
        client.text(r#"{"type":"__heartbeat"}"#).await;
        assert_eq!(client.recv().await["type"], "__heartbeat_ack");
    }
    // What still runs of the last ones comes to its end meanwhile.
    let last = client.request("SPIN", "last", json!({ "us": 5000, "apart": false })).await;
    assert_eq!((&last["type"], &last["meta"]["correlationId"]), (&json!("DONE"), &json!("last")));
    late
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deadline_races_the_reply() {
    for options in
        [RouteOptions::new(), RouteOptions::new().concurrent(4), RouteOptions::new().run_to_completion().concurrent(4)]
    {
        let ws = WsRouter::<()>::new().on_with(spin, options);
        let server = Server::start(Router::new().route("/ws", ws_route(ws)));
        let mut client = server.connect("/ws").await;
        let late = race_the_deadline(&mut client, 200).await;
        assert!((1..200).contains(&late), "one of the two always won: {late}");
    }
}

#[ws_rpc("REPORT", response = Done, progress = u64)]
struct Report {}

type Told = mpsc::Sender<SendErrorKind>;

/// Reports until it may not any more.
async fn report(State(told): State<Told>, mut progress: Progress<u64>, _: Report) -> Done {
    for step in 0.. {
        if let Err(error) = progress.send(step).await {
            told.send(error.kind()).await.unwrap();
            break;
        }
    }
    Done {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_progress_follows_the_reply() {
    let (told, mut seen) = mpsc::channel(1);
    let ws = WsRouter::new().on_with(report, RouteOptions::new().run_to_completion());
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(told));
    let mut client = server.connect("/ws").await;
    for round in 0..50 {
        let id = round.to_string();
        client.send_request("REPORT", &id, json!({})).await;
        for step in 0..=round {
            assert_eq!(client.expect("$ws:rpc-progress").await, step);
        }
        client.text(json!({ "type": "$ws:abort", "meta": { "correlationId": id } }).to_string()).await;
        let mut message = client.recv().await;
        while message["type"] == "$ws:rpc-progress" {
            message = client.recv().await;
        }
        assert_eq!((&message["type"], &message["meta"]["correlationId"]), (&json!("RPC_ERROR"), &json!(id)));
        assert_eq!(message["payload"]["code"], "CANCELLED");
        // The handler goes on until it learns of it.
        let kind = tokio::time::timeout(PATIENCE, seen.recv()).await.unwrap();
        assert_eq!(kind, Some(SendErrorKind::Ended));
        client.text(r#"{"type":"__heartbeat"}"#).await;
        assert_eq!(client.recv().await["type"], "__heartbeat_ack");
    }
}
