//! Events of users, and the limit of their connections, over nodes.

use std::time::Duration;

use serde_json::json;
use switchboard::{ConnId, UserEvent, UserEvents, cluster::ClusterConfig};
use switchboard_tests::client::{Client, PATIENCE};

use crate::node::{nodes, nodes_with, request, until};

fn id(client: &Client) -> ConnId {
    client.headers["x-client-id"].to_str().unwrap().parse().unwrap()
}

/// The next event as text, with the connection if it is known.
async fn next(events: &mut UserEvents) -> (String, Option<ConnId>) {
    let event = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap();
    match event {
        UserEvent::Online { user, conn, .. } => (format!("{user} came online"), conn),
        UserEvent::Offline { user, conn, .. } => (format!("{user} went offline"), conn),
        UserEvent::ConnectionAdded { user, conn, .. } => (format!("{user} came again"), Some(conn)),
        UserEvent::ConnectionEnded { user, conn, .. } => (format!("{user} left one"), Some(conn)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_node_is_told_once_who_comes_online_and_goes_offline() {
    let [a, b, c] = nodes().await;
    let [mut at_a, mut at_b, mut at_c] = [&a, &b, &c].map(|node| node.hub.user_events());
    let phone = a.connect_as("ann").await;
    let of_phone = id(&phone);
    assert_eq!(next(&mut at_a).await, ("ann came online".into(), Some(of_phone)));
    assert_eq!(next(&mut at_b).await, ("ann came online".into(), None));
    assert_eq!(next(&mut at_c).await, ("ann came online".into(), None));
    let tablet = b.connect_as("ann").await;
    let of_tablet = id(&tablet);
    assert_eq!(next(&mut at_b).await, ("ann came again".into(), Some(of_tablet)));
    until(async || a.hub.user("ann").connection_count().await == 2).await;
    drop(phone);
    assert_eq!(next(&mut at_a).await, ("ann left one".into(), Some(of_phone)));
    until(async || b.hub.user("ann").connection_count().await == 1).await;
    drop(tablet);
    assert_eq!(next(&mut at_b).await, ("ann went offline".into(), Some(of_tablet)));
    assert_eq!(next(&mut at_a).await, ("ann went offline".into(), None));
    assert_eq!(next(&mut at_c).await, ("ann went offline".into(), None));
    // Nothing was told twice: the next events are those of another user.
    let _bob = c.connect_as("bob").await;
    for events in [&mut at_a, &mut at_b, &mut at_c] {
        assert_eq!(next(events).await.0, "bob came online");
    }
}

#[tokio::test]
async fn users_of_a_dead_node_go_offline() {
    let quick = ClusterConfig::new()
        .heartbeat(Duration::from_millis(50))
        .node_timeout(Duration::from_millis(400))
        .node_grace(Duration::from_millis(200));
    let [a, b] = nodes_with(|builder| builder.cluster(quick.clone())).await;
    let mut events = a.hub.user_events();
    let _ann = b.connect_as("ann").await;
    assert_eq!(next(&mut events).await.0, "ann came online");
    b.broker.cut("the machine is gone");
    assert_eq!(next(&mut events).await, ("ann went offline".into(), None));
    b.broker.mend();
    assert_eq!(next(&mut events).await, ("ann came online".into(), None));
}

#[tokio::test]
async fn a_user_that_other_nodes_cannot_know_has_events_on_their_node() {
    let [a, b] = nodes().await;
    let (mut at_a, mut at_b) = (a.hub.user_events(), b.hub.user_events());
    let long = "x".repeat(300);
    let client = a.connect_as(&long).await;
    assert_eq!(next(&mut at_a).await, (format!("{long} came online"), Some(id(&client))));
    drop(client);
    assert_eq!(next(&mut at_a).await.0, format!("{long} went offline"));
    let _bob = a.connect_as("bob").await;
    assert_eq!(next(&mut at_b).await.0, "bob came online");
}

#[tokio::test]
async fn the_connections_of_a_user_are_limited_over_nodes() {
    let [a, b] = nodes_with(|builder| builder.max_connections_per_user(2)).await;
    let (one, _two) = (a.connect_as("ann").await, b.connect_as("ann").await);
    for node in [&a, &b] {
        until(async || node.hub.user("ann").connection_count().await == 2).await;
    }
    for node in [&a, &b] {
        // The hook that identifies fails.
        let mut third = node.server.connect("/ws?user=ann").await;
        assert_eq!(third.expect_close().await.0, 1011);
    }
    drop(one);
    until(async || b.hub.user("ann").connection_count().await == 1).await;
    let mut again = b.connect_as("ann").await;
    request(&mut again, "LEAVE", json!({ "topic": "none" })).await;
}

#[tokio::test]
async fn without_a_broker_the_limit_is_that_of_this_node_once_the_others_are_gone() {
    let quick = ClusterConfig::new()
        .heartbeat(Duration::from_millis(50))
        .node_timeout(Duration::from_millis(400))
        .node_grace(Duration::from_millis(200));
    let [a, b] = nodes_with(|builder| builder.max_connections_per_user(1).cluster(quick.clone())).await;
    let _ann = b.connect_as("ann").await;
    until(async || a.hub.user("ann").connection_count().await == 1).await;
    a.broker.cut("pulled the plug");
    let mut refused = a.server.connect("/ws?user=ann").await;
    assert_eq!(refused.expect_close().await.0, 1011);
    until(async || !a.hub.user("ann").is_online().await).await;
    let mut ann = a.connect_as("ann").await;
    request(&mut ann, "LEAVE", json!({ "topic": "none" })).await;
}
