//! Users over nodes.

use serde_json::json;

use crate::node::{Said, nodes, request, said, until};

#[tokio::test]
async fn a_user_of_another_node_is_online_and_listed() {
    let [a, b] = nodes().await;
    assert!(!a.hub.user("ann").is_online().await);
    let (one, _two) = (b.connect_as("ann").await, a.connect_as("ann").await);
    for hub in [&a.hub, &b.hub] {
        until(async || hub.user("ann").connection_count().await == 2).await;
    }
    let mut ids = a.hub.user("ann").connections().await.into_inner();
    ids.sort();
    let mut from_b = b.hub.user("ann").connections().await.into_inner();
    from_b.sort();
    assert_eq!((ids.len(), &ids), (2, &from_b));
    assert!(a.hub.user("ann").local_connections().len() == 1);
    assert_eq!(b.hub.user("ann").connection_count().await, 2);
    drop(one);
    until(async || a.hub.user("ann").connections().await.len() == 1).await;
}

#[tokio::test]
async fn a_message_for_a_user_reaches_their_connections_on_all_nodes() {
    let [a, b, c] = nodes().await;
    let (mut one, mut two) = (a.connect_as("ann").await, b.connect_as("ann").await);
    let _bob = b.connect_as("bob").await;
    until(async || c.hub.user("ann").connection_count().await == 2).await;
    assert_eq!(c.hub.user("ann").send(Said { n: 7 }).await.unwrap(), 2);
    assert_eq!((said(&mut one).await, said(&mut two).await), (7, 7));
    assert_eq!(a.hub.user("nobody").send(Said { n: 8 }).await.unwrap(), 0);
}

#[tokio::test]
async fn a_user_is_disconnected_everywhere() {
    let [a, b, c] = nodes().await;
    let (mut one, mut two) = (a.connect_as("ann").await, b.connect_as("ann").await);
    until(async || c.hub.user("ann").connection_count().await == 2).await;
    assert_eq!(c.hub.user("ann").disconnect_with(4503, "kicked by c").await, 2);
    for client in [&mut one, &mut two] {
        assert_eq!(client.expect_close().await, (4503, "kicked by c".to_owned()));
    }
    until(async || !c.hub.user("ann").is_online().await).await;
}

#[tokio::test]
async fn subscriptions_are_revoked_on_other_nodes() {
    let [a, b] = nodes().await;
    let mut ann = b.connect_as("ann").await;
    request(&mut ann, "JOIN", json!({ "topic": "room:1" })).await;
    until(async || a.hub.user("ann").is_online().await).await;
    assert_eq!(a.hub.user("ann").revoke("room:1").await, 1);
    a.hub.publish("room:1", Said { n: 1 }).await.unwrap();
    assert_eq!(a.hub.user("ann").send(Said { n: 2 }).await.unwrap(), 1);
    assert_eq!(said(&mut ann).await, 2);
}

#[tokio::test]
async fn users_are_authorised_again_on_other_nodes() {
    let [a, b] = nodes().await;
    let mut ann = b.connect_as("ann").await;
    until(async || a.hub.user("ann").is_online().await).await;
    assert_eq!(a.hub.user("ann").reauthorize().await, 1);
    ann.expect("CHECKED").await;
}
