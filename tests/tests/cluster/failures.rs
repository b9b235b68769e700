//! Brokers and nodes that fail.

use std::time::Duration;

use serde_json::json;
use switchboard::{
    Hub, PublishErrorKind,
    cluster::{ClusterConfig, Health, MemoryBus},
};

use crate::node::{Said, nodes, nodes_with, request, said, say, until};

#[tokio::test]
async fn without_a_broker_publishes_and_subscriptions_fail_and_work_again_later() {
    let [a, b] = nodes().await;
    let (mut on_a, mut on_b) = (a.member("room:1").await, b.member("room:1").await);
    a.broker.cut("pulled the plug");
    until(async || a.hub.health() == Some(Health::Disconnected)).await;
    let error = a.hub.publish("room:1", Said { n: 1 }).await.unwrap_err();
    assert_eq!((error.kind(), error.retryable()), (PublishErrorKind::Unavailable, true));
    let reply = on_a.request("JOIN", "r", json!({ "topic": "room:2" })).await;
    assert_eq!(reply["payload"]["code"], "UNAVAILABLE");
    // The other node goes on.
    b.hub.publish("room:1", Said { n: 2 }).await.unwrap();
    assert_eq!(said(&mut on_b).await, 2);
    a.broker.mend();
    until(async || a.hub.health() == Some(Health::Healthy)).await;
    request(&mut on_a, "JOIN", json!({ "topic": "room:2" })).await;
    b.hub.publish("room:1", Said { n: 3 }).await.unwrap();
    assert_eq!((said(&mut on_a).await, said(&mut on_b).await), (3, 3));
}

#[tokio::test]
async fn a_hub_says_how_its_link_is() {
    let alone = Hub::new();
    assert_eq!((alone.node_id(), alone.broker_silence(), alone.health()), (None, None, None));
    let quick = ClusterConfig::new().heartbeat(Duration::from_millis(50));
    let [a, b] = nodes_with(|builder| builder.cluster(quick.clone())).await;
    assert!(a.hub.node_id().is_some() && a.hub.node_id() != b.hub.node_id());
    let silence = || a.hub.broker_silence().unwrap();
    let (short, long) = (Duration::from_millis(200), Duration::from_millis(400));
    until(async || silence() < short).await;
    a.broker.cut("pulled the plug");
    until(async || silence() > long).await;
    assert!(b.hub.broker_silence().unwrap() < silence());
    a.broker.mend();
    until(async || silence() < short).await;
}

#[tokio::test]
async fn members_are_told_of_messages_lost_with_the_broker() {
    let [a, b] = nodes().await;
    let mut plain = a.member("room:1").await;
    let mut extended = switchboard_tests::client::Server::upgrade(
        &a.server,
        "/ws",
        &[("sec-websocket-protocol", "switchboard.v1.json")],
    )
    .await
    .unwrap();
    extended.expect("$ws:hello").await;
    request(&mut extended, "JOIN", json!({ "topic": "room:1" })).await;
    a.broker.cut("pulled the plug");
    b.hub.publish("room:1", Said { n: 1 }).await.unwrap();
    a.broker.mend();
    assert_eq!(extended.expect("$ws:gap").await, json!({ "topic": "room:1", "reason": "broker" }));
    b.hub.publish("room:1", Said { n: 2 }).await.unwrap();
    assert_eq!((said(&mut plain).await, said(&mut extended).await), (2, 2));
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_the_outcome_unknown() {
    let [a, b] = nodes().await;
    let (mut publisher, mut member) = (a.connect().await, b.member("room:1").await);
    a.broker.lose_answers(true);
    let reply = say(&mut publisher, "room:1", 1).await;
    let error = &reply["payload"];
    assert_eq!((&error["code"], &error["details"]["outcome"]), (&json!("UNAVAILABLE"), &json!("unknown")), "{reply}");
    assert_eq!(said(&mut member).await, 1);
    // It may have taken place, which the kind says.
    let error = a.hub.publish("room:1", Said { n: 2 }).await.unwrap_err();
    assert_eq!((error.kind(), error.retryable()), (PublishErrorKind::Unknown, true));
    assert_eq!(said(&mut member).await, 2);
}

#[tokio::test]
async fn a_user_of_this_node_is_reached_without_a_broker() {
    let [a, _b] = nodes().await;
    let mut ann = a.connect_as("ann").await;
    a.broker.cut("pulled the plug");
    until(async || a.hub.health() == Some(Health::Disconnected)).await;
    assert_eq!(a.hub.user("ann").send(Said { n: 1 }).await.unwrap(), 1);
    assert_eq!(said(&mut ann).await, 1);
    assert!(a.hub.user("ann").is_online().await);
}

#[tokio::test]
async fn a_hub_whose_broker_cannot_be_reached_at_the_start_refuses_at_once() {
    let broker = MemoryBus::new().broker();
    // A broker serves one node: the second start fails for ever.
    let first = Hub::builder().broker(broker.clone()).build();
    first.ready().await;
    let second = Hub::builder().broker(broker).build();
    let error = second.publish("room:1", Said { n: 1 }).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::Unavailable);
    assert_eq!(second.health(), Some(Health::Starting));
}

#[tokio::test]
async fn a_node_that_leaves_takes_its_users_along_at_once() {
    let [a, b] = nodes().await;
    let _ann = b.connect_as("ann").await;
    until(async || a.hub.user("ann").is_online().await).await;
    b.hub.drain(Duration::ZERO).grace(Duration::ZERO).await;
    until(async || !a.hub.user("ann").is_online().await && a.hub.cluster_stats().unwrap().nodes == 0).await;
}

#[tokio::test]
async fn the_users_of_a_silent_node_go_offline() {
    let quick = ClusterConfig::new()
        .heartbeat(Duration::from_millis(50))
        .node_timeout(Duration::from_millis(400))
        .node_grace(Duration::from_millis(200));
    let [a, b] = nodes_with(|builder| builder.cluster(quick.clone())).await;
    let _ann = b.connect_as("ann").await;
    until(async || a.hub.user("ann").is_online().await).await;
    b.broker.cut("the machine is gone");
    until(async || !a.hub.user("ann").is_online().await).await;
    b.broker.mend();
    until(async || a.hub.user("ann").is_online().await).await;
}

#[tokio::test]
async fn a_hub_that_is_dropped_says_goodbye() {
    let [a, b] = nodes().await;
    let crate::node::Node { server, hub, broker } = b;
    drop(server);
    drop(hub);
    until(async || a.hub.cluster_stats().unwrap().nodes == 0).await;
    let error = switchboard::cluster::Broker::publish(&broker, &switchboard::cluster::Channel::AllNodes, "x".into());
    assert!(error.await.is_err(), "its link has ended");
}
