//! `examples/presence-pool` over real sockets, one test per row of the checklist.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};

fn server() -> Server {
    Server::start(presence_pool::app())
}

/// A device of a user.
async fn enter(server: &Server, user: &str) -> Client {
    let mut client = server.connect(&format!("/ws?user={user}")).await;
    // The open hook has run once a message was handled: from now on it gets the others' presence.
    client.send("SET_STATUS", json!({ "status": "nonsense" })).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    client
}

async fn join(client: &mut Client, pool: &str) {
    client.send("JOIN_POOL", json!({ "poolId": pool })).await;
    // This message is not answered; the one behind it is handled after it.
    client.send("SET_STATUS", json!({ "status": "nonsense" })).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
}

async fn get(server: &Server, path: &str) -> Value {
    let (status, page) = server.http("GET", path, None).await;
    assert_eq!(status, 200, "{page}");
    page
}

#[tokio::test]
async fn pool_with_activity_and_rooms() {
    let server = server();
    let begin = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let mut ann = enter(&server, "ann").await;
    join(&mut ann, "red").await;
    ann.send("SET_STATUS", json!({ "status": "away" })).await;
    join(&mut ann, "blue").await;
    let all = get(&server, "/connections").await;
    let [one] = &all.as_array().unwrap()[..] else { panic!("not one: {all}") };
    assert_eq!(one["clientId"].as_str(), ann.headers["x-client-id"].to_str().ok());
    assert_eq!(
        (&one["userId"], &one["status"], &one["pools"]),
        (&json!("ann"), &json!("away"), &json!(["red", "blue"]))
    );
    let [connected, active] = ["connectedAt", "lastActivity"].map(|key| u128::from(one[key].as_u64().unwrap()));
    // The id's clock and this one are the same, to the millisecond.
    assert!(begin <= connected + 1 && connected <= active, "{begin} {one}");
    drop(ann);
    server.wait_for("/stats", "connections", &json!(0)).await;
    assert_eq!(get(&server, "/connections").await, json!([]));
}

#[tokio::test]
async fn users_devices_presence_and_stats() {
    let server = server();
    let mut watcher = enter(&server, "watcher").await;
    let offline = json!({ "online": false, "connections": [] });
    assert_eq!(get(&server, "/users/ann").await, offline);
    let mut phone = enter(&server, "ann").await;
    assert_eq!(watcher.expect("PRESENCE").await, json!({ "userId": "ann", "online": true }));
    // A second device changes nothing for the others.
    let mut laptop = enter(&server, "ann").await;
    let user = get(&server, "/users/ann").await;
    assert_eq!((&user["online"], user["connections"].as_array().unwrap().len()), (&json!(true), 2));
    assert_eq!(get(&server, "/stats").await, json!({ "connections": 3, "users": 2, "pools": 0 }));
    let (_, sent) = server.http("POST", "/users/ann/notify", Some(json!({ "text": "hi" }))).await;
    assert_eq!(sent, json!({ "devices": 2 }));
    for device in [&mut phone, &mut laptop] {
        assert_eq!(device.expect("NOTICE").await, json!({ "text": "hi" }));
    }
    assert_eq!(server.http("POST", "/users/ann/notify", Some(json!({ "text": "" }))).await.0, 400);
    assert_eq!(
        server.http("POST", "/users/nobody/notify", Some(json!({ "text": "hi" }))).await.1,
        json!({ "devices": 0 })
    );
    drop(phone);
    server.wait_for("/stats", "connections", &json!(2)).await;
    assert_eq!(laptop.close(1000).await, 1000);
    // Only the last device to leave is published.
    assert_eq!(watcher.expect("PRESENCE").await, json!({ "userId": "ann", "online": false }));
    assert_eq!(get(&server, "/users/ann").await, offline);
}

#[tokio::test]
async fn pools_have_an_id_and_publish_joins_and_leaves() {
    let server = server();
    let mut ann = enter(&server, "ann").await;
    join(&mut ann, "red").await;
    let mut ben = enter(&server, "ben").await;
    assert_eq!(ann.expect("PRESENCE").await["userId"], "ben");
    join(&mut ben, "red").await;
    // To the others, not to the one who joins, and only once.
    assert_eq!(ann.expect("USER_JOINED_POOL").await, json!({ "userId": "ben", "poolSize": 2 }));
    join(&mut ben, "red").await;
    let mut pool = get(&server, "/pools/red").await;
    pool["userIds"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    assert_eq!(pool, json!({ "size": 2, "userIds": ["ann", "ben"] }));
    ben.send("LEAVE_POOL", json!({ "poolId": "red" })).await;
    assert_eq!(ann.expect("USER_LEFT_POOL").await, json!({ "userId": "ben", "poolSize": 1 }));
    ben.send("LEAVE_POOL", json!({ "poolId": "red" })).await;
    ben.expect_error("ERROR", "FAILED_PRECONDITION").await;
    // A client that vanishes leaves its pools, too. A pool without members does not exist.
    join(&mut ben, "red").await;
    assert_eq!(ann.expect("USER_JOINED_POOL").await["poolSize"], 2);
    drop(ben);
    assert_eq!(ann.expect("USER_LEFT_POOL").await, json!({ "userId": "ben", "poolSize": 1 }));
    assert_eq!(ann.expect("PRESENCE").await, json!({ "userId": "ben", "online": false }));
    drop(ann);
    server.wait_for("/stats", "pools", &json!(0)).await;
    assert_eq!(get(&server, "/pools/red").await, json!({ "size": 0, "userIds": [] }));
}

#[tokio::test]
async fn a_client_without_a_name_is_refused() {
    let server = server();
    assert_eq!(server.upgrade("/ws?user=", &[]).await.unwrap_err().status, 401);
    assert_eq!(server.upgrade("/ws", &[]).await.unwrap_err().status, 400);
}
