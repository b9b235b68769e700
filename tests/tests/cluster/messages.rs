//! Messages of topics over nodes: who gets them, and in which order.

use std::time::Duration;

use serde_json::json;
use switchboard::{Hub, cluster::ClusterConfig};

use crate::node::{Node, Said, nodes, nodes_with, request, said, say, until};

#[tokio::test]
async fn a_message_reaches_the_members_of_all_nodes() {
    let [a, b, c] = nodes().await;
    let (mut on_a, mut on_b) = (a.member("room:1").await, b.member("room:1").await);
    let mut elsewhere = c.member("room:2").await;
    c.hub.publish("room:1", Said { n: 1 }).await.unwrap();
    assert_eq!((said(&mut on_a).await, said(&mut on_b).await), (1, 1));
    b.hub.publish("room:2", Said { n: 2 }).await.unwrap();
    assert_eq!(said(&mut elsewhere).await, 2);
}

#[tokio::test]
async fn a_member_that_publishes_gets_its_message_before_the_reply() {
    let [a, b] = nodes().await;
    let (mut publisher, mut other) = (a.member("room:1").await, b.member("room:1").await);
    for n in 0..20 {
        assert_eq!(say(&mut publisher, "room:1", n).await["type"], "SAID");
        assert_eq!(publisher.recv().await["type"], "DONE");
        assert_eq!(said(&mut other).await, n);
    }
}

#[tokio::test]
async fn all_nodes_see_one_order() {
    let [a, b] = nodes().await;
    let (mut on_a, mut on_b) = (a.member("room:1").await, b.member("room:1").await);
    let publish = async |hub: &Hub, from: u64| {
        for n in from..from + 50 {
            hub.publish("room:1", Said { n }).await.unwrap();
        }
    };
    tokio::join!(publish(&a.hub, 0), publish(&b.hub, 100));
    let (mut seen_a, mut seen_b) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        seen_a.push(said(&mut on_a).await);
        seen_b.push(said(&mut on_b).await);
    }
    assert_eq!(seen_a, seen_b);
    for from in [0, 100] {
        let own: Vec<u64> = seen_a.iter().copied().filter(|n| (from..from + 50).contains(n)).collect();
        assert_eq!(own, (from..from + 50).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_subscription_is_in_force_on_all_nodes_when_it_returns() {
    let [a, b] = nodes().await;
    let mut publisher = a.connect().await;
    for n in 0..20 {
        let topic = format!("room:{n}");
        let mut member = b.member(&topic).await;
        assert_eq!(say(&mut publisher, &topic, n).await["type"], "DONE");
        assert_eq!(said(&mut member).await, n);
        request(&mut member, "LEAVE", json!({ "topic": topic })).await;
        say(&mut publisher, &topic, 99).await;
        // Nothing arrives before the answer.
        request(&mut member, "LEAVE", json!({ "topic": topic })).await;
    }
}

#[tokio::test]
async fn except_self_excludes_the_publisher_alone() {
    let [a, b] = nodes().await;
    let mut publisher = a.member("room:1").await;
    let (mut neighbour, mut other) = (a.member("room:1").await, b.member("room:1").await);
    request(&mut publisher, "SAY", json!({ "topic": "room:1", "n": 1, "toOthers": true })).await;
    assert_eq!((said(&mut neighbour).await, said(&mut other).await), (1, 1));
    assert_eq!(say(&mut publisher, "room:1", 2).await["payload"]["n"], 2);
}

#[tokio::test]
async fn filters_look_at_messages_of_other_nodes() {
    let [a, b] = nodes().await;
    let (mut all, mut few) = (b.member("room:1").await, b.connect().await);
    request(&mut few, "JOIN_UP_TO", json!({ "topic": "room:1", "max": 2 })).await;
    for n in [3, 1, 4, 2] {
        a.hub.publish("room:1", Said { n }).await.unwrap();
    }
    for n in [3, 1, 4, 2] {
        assert_eq!(said(&mut all).await, n);
    }
    assert_eq!((said(&mut few).await, said(&mut few).await), (1, 2));
}

#[tokio::test]
async fn a_publish_to_several_topics_reaches_a_connection_once() {
    let [a, b] = nodes().await;
    let mut member = b.member("room:1").await;
    request(&mut member, "JOIN", json!({ "topic": "room:2" })).await;
    let mut of_one = b.member("room:2").await;
    a.hub.publish_many(["room:1", "room:2"], Said { n: 1 }).await.unwrap();
    a.hub.publish("room:2", Said { n: 2 }).await.unwrap();
    for client in [&mut member, &mut of_one] {
        assert_eq!((said(client).await, said(client).await), (1, 2));
    }
}

#[tokio::test]
async fn throttled_messages_reach_other_nodes() {
    let [a, b] = nodes().await;
    let mut member = b.member("room:1").await;
    let throttle = a.hub.topic("room:1").throttle(Duration::from_millis(1));
    throttle.publish(Said { n: 1 }).unwrap();
    throttle.flush().await;
    assert_eq!(said(&mut member).await, 1);
}

#[tokio::test]
async fn limits_are_checked_before_the_broker_is_asked() {
    let [a, _b] = nodes().await;
    let _first = a.member("small:1").await;
    let channels = a.hub.cluster_stats().unwrap().channels;
    let mut second = a.connect().await;
    let reply = second.request("JOIN", "r", json!({ "topic": "small:1" })).await;
    assert_eq!(reply["payload"]["code"], "RESOURCE_EXHAUSTED");
    // A topic that the node is not subscribed to yet.
    let reply = second.request("JOIN", "r", json!({ "topic": "closed:1" })).await;
    assert_eq!(reply["payload"]["code"], "INVALID_ARGUMENT");
    assert_eq!(a.hub.cluster_stats().unwrap().channels, channels);
}

async fn nodes_with_short_linger() -> [Node; 2] {
    let config = ClusterConfig::new().linger(Duration::from_millis(20));
    nodes_with(|builder| builder.cluster(config.clone())).await
}

#[tokio::test]
async fn a_topic_without_members_is_left_at_the_broker_after_a_while() {
    let [a, _b] = nodes_with_short_linger().await;
    let before = a.hub.cluster_stats().unwrap().channels;
    let mut member = a.member("room:1").await;
    assert_eq!(a.hub.cluster_stats().unwrap().channels, before + 1);
    request(&mut member, "LEAVE", json!({ "topic": "room:1" })).await;
    until(async || a.hub.cluster_stats().unwrap().channels == before).await;
    let closed = a.member("room:2").await;
    drop(closed);
    until(async || a.hub.cluster_stats().unwrap().channels == before).await;
}

#[tokio::test]
async fn a_topic_that_is_not_joined_after_all_is_left_at_the_broker() {
    let [a, _b] = nodes_with_short_linger().await;
    let channels = || a.hub.cluster_stats().unwrap().channels;
    let before = channels();
    let mut clients = [a.connect().await, a.connect().await];
    request(&mut clients[0], "GIVE_UP", json!({ "topic": "room:1" })).await;
    until(async || channels() == before).await;
    // Of two that wait for the broker at the same time, one has no room afterwards.
    for n in 0..10 {
        let topic = json!({ "topic": format!("small:{n}") });
        for client in &mut clients {
            client.send_request("JOIN", "r", topic.clone()).await;
        }
        let mut joined = 0;
        for client in &mut clients {
            let reply = client.recv().await;
            match reply["type"].as_str().unwrap() {
                "DONE" => {
                    joined += 1;
                    request(client, "LEAVE", topic.clone()).await;
                }
                _ => assert_eq!(reply["payload"]["code"], "RESOURCE_EXHAUSTED", "{reply}"),
            }
        }
        assert!(joined > 0);
    }
    until(async || channels() == before).await;
}
