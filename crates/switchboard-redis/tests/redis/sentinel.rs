//! A failover by Sentinel.

use std::time::Duration;

use broker_servers::{RedisSentinel, topic};
use switchboard_core::broker::{Broker, LinkEvent};
use switchboard_redis::{RedisBroker, RedisBrokerBuilder};

use crate::setup::start;

fn builder(servers: &RedisSentinel) -> RedisBrokerBuilder {
    RedisBroker::builder(format!("redis://{}", servers.sentinel.address()))
        .sentinel_master("mymaster")
        .topology_interval(Duration::from_millis(300))
}

#[tokio::test]
async fn a_master_that_was_demoted_is_left() {
    let servers = RedisSentinel::start();
    let (a, b) = (start(builder(&servers)).await, start(builder(&servers)).await);
    let room = topic("room");
    b.broker.subscribe(&room).await.unwrap();
    servers.sentinel.ask(&["SENTINEL", "FAILOVER", "mymaster"]);
    for node in [&a, &b] {
        let connected = |event: &LinkEvent| *event == LinkEvent::Connected;
        node.until("a new link", |heard| heard.count(connected) >= 2 && !heard.is_down()).await;
    }
    b.until("the room is restored", |heard| heard.is_restored(&room)).await;
    a.publish_when_possible(&room, "after").await;
    b.hears(&room, "after").await;
    assert_eq!(servers.master_port(), servers.servers[1].port());
    let reply = servers.servers[1].ask(&["PUBSUB", "NUMSUB", "sb:t:room"]);
    assert_eq!(reply.list()[1].text(), "1", "the subscription is at the new master");
}

#[tokio::test]
async fn a_master_that_is_killed_is_replaced() {
    let mut servers = RedisSentinel::start();
    let node = start(builder(&servers)).await;
    let room = topic("room");
    node.broker.subscribe(&room).await.unwrap();
    servers.servers[0].kill();
    node.until("the room is restored", |heard| heard.is_restored(&room)).await;
    node.publish_when_possible(&room, "after").await;
    node.hears(&room, "after").await;
    assert_eq!(servers.master_port(), servers.servers[1].port());
}

#[tokio::test]
async fn a_master_that_hangs_is_replaced_and_not_used_again() {
    let servers = RedisSentinel::start();
    let impatient = Duration::from_secs(1);
    let node = start(builder(&servers).response_timeout(impatient).connect_timeout(impatient)).await;
    let room = topic("room");
    node.broker.subscribe(&room).await.unwrap();
    servers.servers[0].pause();
    node.until("the room is restored", |heard| heard.is_restored(&room)).await;
    assert_eq!(servers.master_port(), servers.servers[1].port());
    servers.servers[0].resume();
    node.publish_when_possible(&room, "after").await;
    node.hears(&room, "after").await;
    let reply = servers.servers[1].ask(&["PUBSUB", "NUMSUB", "sb:t:room"]);
    assert_eq!(reply.list()[1].text(), "1", "the subscription is at the new master");
}

#[tokio::test]
async fn an_unknown_master_is_refused_by_name() {
    let servers = RedisSentinel::start();
    let error = builder(&servers).sentinel_master("other").connect().await.unwrap_err();
    assert!(error.to_string().contains("knows no master `other`"), "{error}");
}
