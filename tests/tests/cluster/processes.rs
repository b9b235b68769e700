//! The conformance server as two processes on one broker, as clients from outside see it.

use std::process::Stdio;

use broker_servers::{Program, Server as BrokerServer};
use serde_json::json;
use switchboard_tests::client::{Client, Server};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::node::until;

/// Starts the program on a broker.
async fn start(broker: &str, prefix: &str) -> (Child, std::net::SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance-server"));
    command.env("PORT", "0").env("SWITCHBOARD_BROKER", broker).env("SWITCHBOARD_PREFIX", prefix);
    command.env_remove("TLS").stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
    (child, line.strip_prefix("listening on ").unwrap().parse().unwrap())
}

/// A process, which ends with this value.
async fn node(broker: &str, prefix: &str) -> Server {
    let (mut child, addr) = start(broker, prefix).await;
    let task = tokio::spawn(async move {
        child.wait().await.unwrap();
    });
    Server { addr, task }
}

async fn as_alice(node: &Server) -> Client {
    node.upgrade("/secure", &[("authorization", "Bearer alice")]).await.unwrap()
}

async fn two_processes(broker: &str) {
    let (a, b) = (node(broker, "one").await, node(broker, "one").await);
    let other = node(broker, "other").await;
    for node in [&a, &b] {
        node.wait_for("/health", "nodes", &json!(2)).await;
        let (status, health) = node.http("GET", "/health", None).await;
        assert_eq!(
            (status, &health["degraded"], &health["broker"]["state"]),
            (200, &json!(false), &json!("connected"))
        );
        assert!(health["broker"]["probeMs"].as_u64().unwrap() < 5_000, "{health}");
    }
    assert_eq!(other.http("GET", "/health", None).await.1["nodes"], 1, "another prefix is another cluster");

    let (mut on_a, mut on_b) = (a.connect("/ws").await, as_alice(&b).await);
    for (client, members) in [(&mut on_a, 1), (&mut on_b, 2)] {
        client.send("JOIN", json!({ "topic": "room" })).await;
        assert_eq!(client.expect("JOINED").await, json!({ "topic": "room", "members": members }));
    }
    assert_eq!(a.http("GET", "/topics/room", None).await.1, json!({ "subscribers": 2, "complete": true }));
    assert_eq!(b.http("POST", "/publish/room", Some(json!({ "text": "hi" }))).await, (200, json!({ "matched": null })));
    for client in [&mut on_a, &mut on_b] {
        assert_eq!(client.expect("SAID").await, json!({ "topic": "room", "text": "hi" }));
    }

    a.wait_for("/users/alice", "connections", &json!(1)).await;
    let one = json!({ "connections": 1 });
    assert_eq!(a.http("POST", "/users/alice/message", Some(json!({ "text": "psst" }))).await.1, one);
    assert_eq!(on_b.expect("NOTE").await, json!({ "text": "psst" }));
    assert_eq!(a.http("POST", "/users/alice/revoke/room", None).await.1, one);
    a.wait_for("/topics/room", "subscribers", &json!(1)).await;
    assert_eq!(a.http("POST", "/users/alice/disconnect", None).await.1, one);
    assert_eq!(on_b.expect_close().await.0, 4503);
    a.wait_for("/users/alice", "connections", &json!(0)).await;
}

#[tokio::test]
async fn two_processes_on_redis_are_one_server() {
    let redis = BrokerServer::start(Program::Redis, &[]);
    two_processes(&format!("redis://{}", redis.address())).await;
}

#[tokio::test]
async fn two_processes_on_a_redis_cluster_are_one_server() {
    let redis = broker_servers::RedisCluster::start();
    let servers: Vec<String> = redis.masters.iter().map(BrokerServer::address).collect();
    two_processes(&format!("redis-cluster://{}", servers.join(","))).await;
}

#[tokio::test]
async fn two_processes_on_nats_are_one_server() {
    let nats = BrokerServer::start(Program::Nats, &[]);
    two_processes(&format!("nats://{}", nats.address())).await;
}

/// Refused, and said so.
#[tokio::test]
async fn a_publish_without_the_broker_is_refused_with_503() {
    let mut redis = BrokerServer::start(Program::Redis, &[]);
    let node = node(&format!("redis://{}", redis.address()), "sb").await;
    redis.kill();
    until(async || node.http("GET", "/health", None).await.1["broker"]["state"] == "connecting").await;
    let (status, body) = node.http("POST", "/publish/room", Some(json!({ "text": "hi" }))).await;
    assert_eq!((status, body), (503, json!({ "outcome": "refused" })));
    assert_eq!(node.http("GET", "/health", None).await.1["degraded"], true);
    redis.start_again();
    node.wait_for("/health", "degraded", &json!(false)).await;
}

/// Clients are told when to come back, and closed one after the other; the other node knows at once.
#[tokio::test]
async fn a_process_drains_at_sigterm() {
    let nats = BrokerServer::start(Program::Nats, &[]);
    let url = format!("nats://{}", nats.address());
    let (stays, (mut stops, addr)) = (node(&url, "sb").await, start(&url, "sb").await);
    stays.wait_for("/health", "nodes", &json!(2)).await;
    let leaving = Server { addr, task: tokio::spawn(std::future::pending()) };
    let headers = [("authorization", "Bearer bob"), ("sec-websocket-protocol", "switchboard.v1.json")];
    let mut client = leaving.upgrade("/secure", &headers).await.unwrap();
    client.expect("$ws:hello").await;
    stays.wait_for("/users/bob", "connections", &json!(1)).await;
    let terminate = format!("kill -TERM {}", stops.id().unwrap());
    assert!(Command::new("sh").args(["-c", &terminate]).status().await.unwrap().success());
    let retry = client.expect("$ws:goaway").await["retryInMs"].as_u64().unwrap();
    assert!(retry < 7_000, "{retry}");
    assert_eq!(client.expect_close().await.0, 1012);
    stays.wait_for("/users/bob", "connections", &json!(0)).await;
    let status = tokio::time::timeout(std::time::Duration::from_secs(10), stops.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    stays.wait_for("/health", "nodes", &json!(1)).await;
}
