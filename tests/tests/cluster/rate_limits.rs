//! Limits over nodes, on Redis.

use std::time::Duration;

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
};
use broker_servers::{Program, Server as RedisServer};
use serde_json::json;
use switchboard::{Identity, RateLimitLayer, WsRouter, ws_rpc};
use switchboard_redis::RedisRateLimit;
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};

use crate::node::until;

#[ws_rpc("POST", response = Posted)]
struct Post {}

#[switchboard::ws_message("POSTED")]
struct Posted {}

async fn post(_: Post) -> Posted {
    Posted {}
}

/// A node with a limit that all nodes share.
async fn node(redis: &RedisServer) -> Server {
    let limits = RedisRateLimit::builder(format!("redis://{}", redis.address()))
        // Patient, because a machine may be busy with other tests.
        .check_timeout(Duration::from_secs(5))
        .connect()
        .await
        .unwrap();
    let ws = WsRouter::<(), String>::new()
        .on(post)
        .layer(RateLimitLayer::per_user(6, Duration::from_secs(600)).store("posts", limits))
        .identify(|user: &String| Some(Identity::new(user.as_str())))
        .authenticate(async |headers: HeaderMap| {
            let user = headers.get("user").and_then(|user| user.to_str().ok()).map(str::to_owned);
            user.ok_or(StatusCode::UNAUTHORIZED)
        });
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

async fn posts(client: &mut Client) -> bool {
    let reply = client.request("POST", "1", json!({})).await;
    assert!(reply["type"] == "POSTED" || reply["payload"]["code"] == "RESOURCE_EXHAUSTED", "{reply}");
    reply["type"] == "POSTED"
}

#[tokio::test]
async fn a_user_has_one_limit_on_three_nodes_and_one_on_each_while_redis_is_away() {
    let mut redis = RedisServer::start(Program::Redis, &[]);
    let nodes = [node(&redis).await, node(&redis).await, node(&redis).await];
    let mut clients = Vec::new();
    for node in &nodes {
        clients.push(node.upgrade("/ws", &[("user", "ann")]).await.unwrap());
    }
    let mut posted = 0;
    for _ in 0..4 {
        for client in &mut clients {
            posted += usize::from(posts(client).await);
        }
    }
    assert_eq!(posted, 6, "one limit for all nodes");
    redis.kill();
    for client in &mut clients {
        let mut posted = 0;
        for _ in 0..9 {
            posted += usize::from(posts(client).await);
        }
        assert_eq!(posted, 6, "each node counts by itself");
    }
    // It comes back empty: the user has the limit once more, over all nodes.
    redis.start_again();
    let clients = tokio::sync::Mutex::new(clients);
    until(async || posts(&mut clients.lock().await[0]).await).await;
    let mut posted = 1;
    for client in clients.lock().await.iter_mut() {
        while posts(client).await {
            posted += 1;
        }
    }
    // A node whose link is not up yet goes on by itself, where nothing is left.
    assert!((1..=6).contains(&posted), "{posted}");
}
