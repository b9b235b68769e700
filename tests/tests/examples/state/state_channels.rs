//! `examples/state-channels` over real sockets.

use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};

async fn update(client: &mut Client, seq: u64, value: &str) {
    client.send("STATE_UPDATE", json!({ "seq": seq, "payload": { "value": value } })).await;
}

async fn catch_up(client: &mut Client, from: u64) {
    client.send("CATCH_UP_REQUEST", json!({ "fromSeq": from })).await;
}

async fn synced(client: &mut Client, seq: u64, value: &str) {
    assert_eq!(client.expect("STATE_SYNC").await, json!({ "seq": seq, "payload": { "value": value } }));
}

fn gap(expected: u64, received: u64, resume_from: u64) -> Value {
    json!({ "expectedSeq": expected, "receivedSeq": received, "resumeFrom": resume_from })
}

/// Returns two clients that are subscribed.
async fn two(server: &Server) -> (Client, Client) {
    let (mut ann, mut bob) = (server.connect("/ws").await, server.connect("/ws").await);
    for client in [&mut ann, &mut bob] {
        quiet(client, 1).await;
    }
    (ann, bob)
}

/// Asserts that nothing arrived before the answer to this; `next` is an unused number.
async fn quiet(client: &mut Client, next: u64) {
    update(client, next + 100, "too early").await;
    assert_eq!(client.expect("SEQUENCE_GAP").await["receivedSeq"], next + 100);
}

#[tokio::test]
async fn the_next_update_is_applied_and_seen_by_all_in_one_order() {
    let server = Server::start(state_channels::app());
    let (mut ann, mut bob) = two(&server).await;
    update(&mut ann, 1, "a1").await;
    for client in [&mut ann, &mut bob] {
        synced(client, 1, "a1").await;
    }
    // Each client has its own numbers.
    for n in 1..=100 {
        update(&mut bob, n, "b").await;
        update(&mut ann, n + 1, "a").await;
    }
    let mut seen = Vec::new();
    for client in [&mut ann, &mut bob] {
        let mut order = Vec::new();
        for seq in 2..=201 {
            let sync = client.expect("STATE_SYNC").await;
            assert_eq!(sync["seq"], seq);
            order.push(sync["payload"].clone());
        }
        seen.push(order);
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_gap_is_reported_and_not_applied() {
    let server = Server::start(state_channels::app());
    let (mut ann, mut bob) = two(&server).await;
    update(&mut ann, 2, "early").await;
    assert_eq!(ann.expect("SEQUENCE_GAP").await, gap(1, 2, 1));
    update(&mut ann, 1, "a1").await;
    synced(&mut ann, 1, "a1").await;
    synced(&mut bob, 1, "a1").await;
    update(&mut bob, 1, "b1").await;
    synced(&mut bob, 2, "b1").await;
    synced(&mut ann, 2, "b1").await;
    // Continues behind Ann's own number.
    update(&mut ann, 4, "early").await;
    assert_eq!(ann.expect("SEQUENCE_GAP").await, gap(2, 4, 2));
    catch_up(&mut ann, 2).await;
    synced(&mut ann, 2, "b1").await;
    update(&mut ann, 2, "a2").await;
    synced(&mut ann, 3, "a2").await;
    synced(&mut bob, 3, "a2").await;
    quiet(&mut bob, 2).await;
}

#[tokio::test]
async fn a_repeat_is_acknowledged_without_effect() {
    let server = Server::start(state_channels::app());
    let (mut ann, mut bob) = two(&server).await;
    update(&mut ann, 1, "a1").await;
    synced(&mut ann, 1, "a1").await;
    synced(&mut bob, 1, "a1").await;
    update(&mut ann, 1, "something else").await;
    synced(&mut ann, 1, "a1").await;
    quiet(&mut bob, 1).await;
    update(&mut ann, 2, "a2").await;
    synced(&mut ann, 2, "a2").await;
}

#[tokio::test]
async fn a_client_catches_up_with_the_stored_updates() {
    let server = Server::start(state_channels::app_keeping(4));
    let (mut ann, _bob) = two(&server).await;
    for n in 1..=3 {
        update(&mut ann, n, &format!("a{n}")).await;
        synced(&mut ann, n, &format!("a{n}")).await;
    }
    let mut cid = server.connect("/ws").await;
    catch_up(&mut cid, 0).await;
    for n in 1..=3 {
        synced(&mut cid, n, &format!("a{n}")).await;
    }
    for n in 4..=7 {
        update(&mut ann, n, &format!("a{n}")).await;
        for client in [&mut ann, &mut cid] {
            synced(client, n, &format!("a{n}")).await;
        }
    }
    // 1 to 3 are not kept any more, which the gap reports.
    catch_up(&mut cid, 2).await;
    assert_eq!(cid.expect("SEQUENCE_GAP").await, gap(2, 4, 4));
    for n in 4..=7 {
        synced(&mut cid, n, &format!("a{n}")).await;
    }
    catch_up(&mut cid, 7).await;
    synced(&mut cid, 7, "a7").await;
    for from in [8, u64::MAX] {
        catch_up(&mut cid, from).await;
        quiet(&mut cid, 1).await;
    }
    // The repeated update is not kept either: it is acknowledged as it came, and has no effect.
    update(&mut ann, 1, "a1 again").await;
    synced(&mut ann, 1, "a1 again").await;
    quiet(&mut ann, 8).await;
    quiet(&mut cid, 1).await;
    update(&mut ann, 8, "a8").await;
    for client in [&mut ann, &mut cid] {
        synced(client, 8, "a8").await;
    }
    for bad in [json!({ "seq": 0, "payload": {} }), json!({ "seq": 9, "payload": [] }), json!({ "seq": 9 })] {
        ann.send("STATE_UPDATE", bad).await;
        ann.expect_error("ERROR", "INVALID_ARGUMENT").await;
    }
}

#[tokio::test]
async fn all_stored_updates_fit_into_the_queue_of_one_client() {
    let server = Server::start(state_channels::app());
    let (mut ann, _bob) = two(&server).await;
    let value = "x".repeat(15_000);
    for n in 1..=60 {
        update(&mut ann, n, &value).await;
        synced(&mut ann, n, &value).await;
    }
    let mut cid = server.connect("/ws").await;
    catch_up(&mut cid, 1).await;
    // 34 of them are 512 KiB.
    let gap = cid.expect("SEQUENCE_GAP").await;
    assert_eq!(gap["receivedSeq"], 27, "{gap}");
    for n in 27..=60 {
        synced(&mut cid, n, &value).await;
    }
}
