//! `examples/state-store` over real sockets, one test per row of the checklist.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
};

use serde_json::{Value, json};
use state_store::Work;
use switchboard_tests::client::{Client, Server, masked};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

fn server() -> Server {
    Server::start(state_store::app())
}

async fn join(client: &mut Client, name: &str) {
    client.send("JOIN_ROOM", json!({ "roomId": "kitchen", "username": name })).await;
}

async fn say(client: &mut Client, text: &str) {
    client.send("SEND_MESSAGE", json!({ "roomId": "kitchen", "text": text })).await;
}

/// Reads states until there are this many users and this is the last message.
async fn state(client: &mut Client, users: usize, text: Option<&str>) -> Value {
    loop {
        let state = client.expect("ROOM_STATE_UPDATE").await;
        assert_eq!(state["roomId"], "kitchen");
        let last = state["latestMessages"].as_array().unwrap().last();
        if state["userCount"] == users && last.map(|said| said["text"].as_str().unwrap()) == text {
            return state;
        }
    }
}

#[tokio::test]
async fn a_state_notifies_its_subscribers() {
    let server = server();
    let (mut ann, mut bob) = (server.connect("/ws").await, server.connect("/ws").await);
    say(&mut ann, "nobody hears this").await;
    ann.expect_error("ERROR", "PERMISSION_DENIED").await;
    join(&mut ann, "ann").await;
    let empty = json!({ "roomId": "kitchen", "userCount": 1, "latestMessages": [] });
    assert_eq!(state(&mut ann, 1, None).await, empty);
    join(&mut bob, "bob").await;
    for client in [&mut ann, &mut bob] {
        state(client, 2, None).await;
    }
    for n in 1..=12 {
        say(&mut bob, &format!("message {n}")).await;
    }
    for client in [&mut ann, &mut bob] {
        let state = state(client, 2, Some("message 12")).await;
        let ids: Vec<_> = state["latestMessages"].as_array().unwrap().iter().map(|said| said["id"].clone()).collect();
        assert_eq!(ids, (3..=12).map(Value::from).collect::<Vec<_>>());
        assert_eq!(state["latestMessages"][9], json!({ "id": 12, "username": "bob", "text": "message 12" }));
    }
    join(&mut bob, "bob").await;
    bob.expect_error("ERROR", "ALREADY_EXISTS").await;
    // A user who leaves gets no more messages; one who closes is cleaned up.
    let leave = json!({ "roomId": "kitchen" });
    ann.send("LEAVE_ROOM", leave.clone()).await;
    state(&mut bob, 1, Some("message 12")).await;
    say(&mut bob, "message 13").await;
    state(&mut bob, 1, Some("message 13")).await;
    ann.send("LEAVE_ROOM", leave).await;
    ann.expect_error("ERROR", "PERMISSION_DENIED").await;
    join(&mut ann, "ann").await;
    state(&mut ann, 2, Some("message 13")).await;
    bob.close(1000).await;
    state(&mut ann, 1, Some("message 13")).await;
    // The room and its messages are removed with its last user.
    ann.close(1000).await;
    let mut cid = server.connect("/ws").await;
    let mut tries = 0;
    loop {
        join(&mut cid, "cid").await;
        let state = cid.expect("ROOM_STATE_UPDATE").await;
        if state == empty {
            return;
        }
        tries += 1;
        assert!(tries < 1000, "{state}");
        cid.close(1000).await;
        cid = server.connect("/ws").await;
    }
}

async fn run(client: &mut Client, id: &str, fails: bool) {
    client.send("RUN_JOB", json!({ "id": id, "fails": fails })).await;
}

#[tokio::test]
async fn jobs_run_one_by_one() {
    let permits = Arc::new(Semaphore::new(0));
    let server = Server::start(state_store::app_with(Work::permits(Arc::clone(&permits))));
    let mut client = server.connect("/ws").await;
    for (before, id) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        run(&mut client, id, id == "b").await;
        assert_eq!(client.expect("JOB_QUEUED").await, json!({ "id": id, "before": before }));
    }
    permits.add_permits(3);
    assert_eq!(client.expect("JOB_DONE").await, json!({ "id": "a" }));
    assert_eq!(client.expect("JOB_FAILED").await, json!({ "id": "b", "reason": "it was meant to fail" }));
    assert_eq!(client.expect("JOB_DONE").await, json!({ "id": "c" }));
    // `d` runs, `e` is dropped.
    client.text(json!({ "type": "CLEAR_JOBS" }).to_string()).await;
    assert_eq!(client.expect("JOBS_CLEARED").await, json!({ "count": 1 }));
    permits.add_permits(1);
    assert_eq!(client.expect("JOB_DONE").await, json!({ "id": "d" }));
    // No job is lost between busy and idle, and the number of waiting jobs is limited.
    let mut other = server.connect("/ws").await;
    for n in 0..=50 {
        run(&mut other, &n.to_string(), false).await;
        assert_eq!(other.expect("JOB_QUEUED").await["before"], n);
    }
    run(&mut other, "too many", false).await;
    other.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
    permits.add_permits(51);
    for n in 0..=50 {
        assert_eq!(other.expect("JOB_DONE").await, json!({ "id": n.to_string() }));
    }
}

#[tokio::test]
async fn operations_are_flushed_together() {
    let server = server();
    let (mut ann, mut bob) = (server.connect("/ws").await, server.connect("/ws").await);
    // Both are subscribed once they have moved.
    for client in [&mut ann, &mut bob] {
        client.send("CURSOR", json!({ "x": 0, "y": 0 })).await;
    }
    // In one write, so that they do not arrive one by one.
    let frame =
        |n: i32| masked(0x81, json!({ "type": "CURSOR", "payload": { "x": n, "y": -n } }).to_string().as_bytes());
    let frames: Vec<_> = (1..=200).flat_map(frame).collect();
    ann.raw(&frames).await;
    let id = ann.headers["x-client-id"].to_str().unwrap().to_owned();
    for client in [&mut ann, &mut bob] {
        let (mut next, mut batches) = (1, 0);
        while next <= 200 {
            let cursors = client.expect("CURSORS").await;
            batches += 1;
            for moved in cursors["moves"].as_array().unwrap() {
                if moved["clientId"] == *id && moved["x"] != 0.0 {
                    assert_eq!((moved["x"].as_f64(), moved["y"].as_f64()), (Some(next.into()), Some((-next).into())));
                    next += 1;
                }
            }
        }
        assert!(batches < 100, "{batches} batches of 200 moves");
    }
}

#[tokio::test]
async fn a_broadcast_is_sent_in_chunks() {
    let app = state_store::app();
    let server = Server::start(app.clone());
    let announce = async |text: &str| server.http("POST", "/announce", Some(json!({ "text": text }))).await;
    assert_eq!(announce("nobody").await, (200, json!({ "clients": 0, "chunks": 0 })));
    let mut clients = Vec::new();
    for _ in 0..201 {
        let mut client = server.connect("/ws").await;
        // Known once it is answered.
        client.text(json!({ "type": "CLEAR_JOBS" }).to_string()).await;
        client.expect("JOBS_CLEARED").await;
        clients.push(client);
    }
    assert_eq!(announce("tea").await, (200, json!({ "clients": 201, "chunks": 3 })));
    for client in &mut clients {
        assert_eq!(client.expect("ANNOUNCEMENT").await, json!({ "text": "tea" }));
    }
    // Between the chunks, the announcement yields to other tasks.
    let body = axum::body::Body::from(json!({ "text": "cake" }).to_string());
    let request = http::Request::post("/announce").header("content-type", "application/json").body(body).unwrap();
    let (mut response, mut pauses) = (pin!(app.oneshot(request)), 0);
    let counted = poll_fn(|cx| {
        let poll = response.as_mut().poll(cx);
        pauses += usize::from(poll.is_pending());
        poll
    });
    assert_eq!(counted.await.unwrap().status(), 200);
    assert_eq!(pauses, 2);
    for client in &mut clients {
        assert_eq!(client.expect("ANNOUNCEMENT").await, json!({ "text": "cake" }));
    }
    // A message that breaks its own rules is not sent.
    assert_eq!(announce("").await.1["clients"], 0);
}
