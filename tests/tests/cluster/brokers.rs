//! The same application on Redis and on NATS.

use broker_servers::{Program, Server as BrokerServer};
use serde_json::json;
use switchboard::{PublishErrorKind, cluster::Health};
use switchboard_nats::NatsBroker;
use switchboard_redis::RedisBroker;

use crate::node::{Node, Said, know_each_other, request, said, say, until};

async fn on_redis(server: &BrokerServer) -> [Node<()>; 3] {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let broker = RedisBroker::connect(&format!("redis://{}", server.address())).await.unwrap();
        nodes.push(Node::start(broker, (), |builder| builder).await);
    }
    know_each_other(nodes).await
}

async fn on_nats(server: &BrokerServer) -> [Node<()>; 3] {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let broker = NatsBroker::connect(&format!("nats://{}", server.address())).await.unwrap();
        nodes.push(Node::start(broker, (), |builder| builder).await);
    }
    know_each_other(nodes).await
}

/// Rooms, users and counts over nodes.
async fn an_application([a, b, c]: [Node<()>; 3]) {
    let (mut on_a, mut on_b) = (a.member("room:1").await, b.member("room:1").await);
    let mut publisher = c.connect_as("ann").await;
    for n in 0..50 {
        assert_eq!(say(&mut publisher, "room:1", n).await["type"], "DONE");
        assert_eq!((said(&mut on_a).await, said(&mut on_b).await), (n, n));
    }
    // A member that publishes gets its message before the reply.
    request(&mut publisher, "JOIN", json!({ "topic": "room:1" })).await;
    assert_eq!(say(&mut publisher, "room:1", 50).await["payload"]["n"], 50);
    assert_eq!(publisher.recv().await["type"], "DONE");
    assert_eq!((said(&mut on_a).await, said(&mut on_b).await), (50, 50));
    assert_eq!(a.hub.topic("room:1").subscriber_count().await, 3);
    until(async || a.hub.user("ann").is_online().await).await;
    assert_eq!(a.hub.user("ann").send(Said { n: 51 }).await.unwrap(), 1);
    assert_eq!(said(&mut publisher).await, 51);
    assert_eq!(b.hub.user("ann").disconnect().await, 1);
    assert_eq!(publisher.expect_close().await.0, 4503);
    until(async || !a.hub.user("ann").is_online().await).await;
}

/// The broker dies and comes back empty.
async fn a_restart([a, b, _c]: [Node<()>; 3], mut server: BrokerServer) {
    let mut member = a.server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.json")]).await.unwrap();
    member.expect("$ws:hello").await;
    request(&mut member, "JOIN", json!({ "topic": "room:1" })).await;
    server.kill();
    until(async || b.hub.health() == Some(Health::Disconnected)).await;
    let error = b.hub.publish("room:1", Said { n: 1 }).await.unwrap_err();
    assert_eq!((error.kind(), error.retryable()), (PublishErrorKind::Unavailable, true));
    server.start_again();
    assert_eq!(member.expect("$ws:gap").await, json!({ "topic": "room:1", "reason": "broker" }));
    until(async || b.hub.health() == Some(Health::Healthy)).await;
    b.hub.publish("room:1", Said { n: 2 }).await.unwrap();
    assert_eq!(said(&mut member).await, 2);
}

#[tokio::test]
async fn an_application_on_redis() {
    let server = BrokerServer::start(Program::Redis, &[]);
    an_application(on_redis(&server).await).await;
}

#[tokio::test]
async fn an_application_on_nats() {
    let server = BrokerServer::start(Program::Nats, &[]);
    an_application(on_nats(&server).await).await;
}

#[tokio::test]
async fn a_restart_of_redis_is_told_and_survived() {
    let server = BrokerServer::start(Program::Redis, &[]);
    a_restart(on_redis(&server).await, server).await;
}

#[tokio::test]
async fn a_restart_of_nats_is_told_and_survived() {
    let server = BrokerServer::start(Program::Nats, &[]);
    a_restart(on_nats(&server).await, server).await;
}
