//! `examples/flow-control` over real sockets.

use std::sync::Arc;

use flow_control::Pace;
use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};
use tokio::sync::Semaphore;

/// Starts a server whose queues process one item per permit, a watcher, and a client.
async fn start(policy: &str) -> (Server, Arc<Semaphore>, Client, Client) {
    let permits = Arc::new(Semaphore::new(0));
    let server = Server::start(flow_control::app_with(Pace::permits(Arc::clone(&permits))));
    let watcher = server.connect("/watch").await;
    let client = server.connect(&format!("/ws/{policy}")).await;
    (server, permits, watcher, client)
}

async fn send(client: &mut Client, n: usize) {
    client.send("SEND_DATA", json!({ "data": format!("data {n}") })).await;
}

async fn acknowledged(client: &mut Client, id: usize) {
    assert_eq!(client.expect("DATA_ACK").await, json!({ "id": id.to_string() }));
}

/// Fills the queue with ten items.
async fn fill(client: &mut Client) {
    for n in 1..=10 {
        send(client, n).await;
        acknowledged(client, n).await;
    }
}

fn exhausted(policy: &str) -> Value {
    json!({ "policy": policy, "retryAfterMs": 100, "queueDepth": 10 })
}

/// Returns the next processed item.
async fn processed(watcher: &mut Client, id: usize, n: usize) {
    let mut data = watcher.expect("DATA").await;
    data.as_object_mut().unwrap().remove("clientId");
    assert_eq!(data, json!({ "id": id.to_string(), "data": format!("data {n}") }));
}

#[tokio::test]
async fn drop_oldest_drops_the_first_item_and_queues_the_new_one() {
    let (_server, permits, mut watcher, mut client) = start("drop-oldest").await;
    fill(&mut client).await;
    for n in 11..=12 {
        send(&mut client, n).await;
        assert_eq!(client.expect("RESOURCE_EXHAUSTED").await, exhausted("drop-oldest"));
        acknowledged(&mut client, n).await;
    }
    permits.add_permits(10);
    for n in 3..=12 {
        processed(&mut watcher, n, n).await;
    }
}

#[tokio::test]
async fn drop_new_refuses_the_new_item() {
    let (_server, permits, mut watcher, mut client) = start("drop-new").await;
    fill(&mut client).await;
    for n in 11..=12 {
        send(&mut client, n).await;
        assert_eq!(client.expect("RESOURCE_EXHAUSTED").await, exhausted("drop-new"));
    }
    permits.add_permits(1);
    processed(&mut watcher, 1, 1).await;
    send(&mut client, 13).await;
    acknowledged(&mut client, 11).await;
    permits.add_permits(10);
    for n in 2..=10 {
        processed(&mut watcher, n, n).await;
    }
    processed(&mut watcher, 11, 13).await;
}

#[tokio::test]
async fn queue_waits_for_room_and_drops_nothing() {
    let (_server, permits, mut watcher, mut client) = start("queue").await;
    fill(&mut client).await;
    for n in 11..=13 {
        send(&mut client, n).await;
    }
    for n in 1..=3 {
        assert_eq!(client.expect("RESOURCE_EXHAUSTED").await, exhausted("queue"));
        permits.add_permits(1);
        acknowledged(&mut client, 10 + n).await;
        processed(&mut watcher, n, n).await;
    }
    permits.add_permits(10);
    for n in 4..=13 {
        processed(&mut watcher, n, n).await;
    }
}

#[tokio::test]
async fn queued_items_are_processed_after_their_client_has_gone() {
    let (server, permits, mut watcher, mut client) = start("drop-new").await;
    fill(&mut client).await;
    client.close(1000).await;
    permits.add_permits(10);
    for n in 1..=10 {
        processed(&mut watcher, n, n).await;
    }
    assert_eq!(server.upgrade("/ws/drop-some", &[]).await.unwrap_err().status, 400);
    // Each client has its own queue.
    let mut other = server.connect("/ws/drop-new").await;
    fill(&mut other).await;
}

#[tokio::test]
async fn the_queue_empties_at_its_own_pace() {
    let server = Server::start(flow_control::app());
    let (mut watcher, mut client) = (server.connect("/watch").await, server.connect("/ws/queue").await);
    for n in 1..=12 {
        send(&mut client, n).await;
    }
    for n in 1..=12 {
        processed(&mut watcher, n, n).await;
    }
}
