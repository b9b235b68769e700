//! `examples/sharding` over real sockets, one test per row of the checklist.

use std::num::NonZeroU32;

use serde_json::json;
use sharding::shard_of;
use switchboard_tests::client::{Client, Server};

fn server() -> Server {
    Server::start(sharding::app())
}

async fn join(server: &Server, room: &str) -> (Client, u64) {
    let mut client = server.connect(&format!("/ws?room={room}")).await;
    let joined = client.expect("ROOM_JOINED").await;
    assert_eq!(joined["roomId"], room);
    (client, joined["shard"].as_u64().unwrap())
}

#[test]
fn the_hash_agrees_with_other_languages() {
    for (name, shards, expected) in [
        ("room:general", 10, 3),
        ("room:random", 10, 8),
        ("room:general", 20, 13),
        ("user:123", 16, 3),
        ("", 7, 0),
        ("комната:1", 10, 8),
        ("room:general", 1, 0),
    ] {
        assert_eq!(shard_of(name, NonZeroU32::new(shards).unwrap()), expected, "{name} of {shards}");
    }
    // In range for a negative hash, too.
    let shards = NonZeroU32::new(10).unwrap();
    let mut sizes = [0; 10];
    for n in 0..10_000 {
        sizes[shard_of(&format!("room:{n}"), shards) as usize] += 1;
    }
    assert!(sizes.iter().all(|size| (800..1200).contains(size)), "{sizes:?}");
}

#[tokio::test]
async fn a_room_is_in_one_shard_only() {
    let server = server();
    let (mut ann, general) = join(&server, "general").await;
    let (mut bob, random) = join(&server, "random").await;
    let (mut cid, again) = join(&server, "general").await;
    assert_eq!((general, random, again), (3, 8, 3));
    ann.send("SEND_MESSAGE", json!({ "text": "hi" })).await;
    let id = ann.headers["x-client-id"].to_str().unwrap().to_owned();
    for client in [&mut ann, &mut cid] {
        assert_eq!(client.expect("ROOM_UPDATE").await, json!({ "roomId": "general", "userId": id, "text": "hi" }));
    }
    bob.send("SEND_MESSAGE", json!({ "text": "alone" })).await;
    assert_eq!(bob.expect("ROOM_UPDATE").await["text"], "alone");
    let (_, shards) = server.http("GET", "/shards", None).await;
    assert_eq!(shards.as_array().unwrap().len(), 10);
    assert_eq!(shards[3], json!({ "shard": 3, "connections": 2, "rooms": 1 }));
    assert_eq!(shards[8], json!({ "shard": 8, "connections": 1, "rooms": 1 }));
    // A client that names no room is in `general`.
    assert_eq!(server.connect("/ws").await.expect("ROOM_JOINED").await, json!({ "roomId": "general", "shard": 3 }));
    for path in ["/ws?room=", "/ws?room=a%20b", &format!("/ws?room={}", "x".repeat(51))] {
        assert_eq!(server.upgrade(path, &[]).await.unwrap_err().status, 400, "{path}");
    }
}

#[tokio::test]
async fn a_shard_accepts_100_connections() {
    let server = server();
    // Two rooms in one shard.
    let shards = NonZeroU32::new(10).unwrap();
    let sibling =
        (0..).map(|n| format!("room{n}")).find(|room| shard_of(&format!("room:{room}"), shards) == 3).unwrap();
    let mut clients = Vec::new();
    for n in 0..100 {
        let (client, shard) = join(&server, if n % 2 == 0 { "general" } else { &sibling }).await;
        assert_eq!(shard, 3);
        clients.push(client);
    }
    for room in ["general", &sibling] {
        assert_eq!(server.upgrade(&format!("/ws?room={room}"), &[]).await.unwrap_err().status, 503);
    }
    join(&server, "random").await;
    // A place is free again when a client has left.
    clients.pop().unwrap().close(1000).await;
    let mut tries = 0;
    while server.upgrade(&format!("/ws?room={sibling}"), &[]).await.is_err() {
        tries += 1;
        assert!(tries < 1000, "the place was not freed");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
