//! Connections and topics of other nodes, by their handles.

use switchboard::SendErrorKind;

use crate::node::{Said, nodes, said};

#[tokio::test]
async fn a_connection_of_another_node_is_reached_by_its_id() {
    let [a, b] = nodes().await;
    let mut client = b.connect().await;
    let id = client.headers["x-client-id"].to_str().unwrap().parse().unwrap();
    a.hub.connection(id).send(Said { n: 3 }).await.unwrap();
    assert_eq!(said(&mut client).await, 3);
    assert!(a.hub.connection(id).reauthorize().await);
    client.expect("CHECKED").await;
    assert!(a.hub.connection(id).disconnect_with(4503, "by its id").await);
    assert_eq!(client.expect_close().await, (4503, "by its id".to_owned()));
}

#[tokio::test]
async fn an_id_that_no_node_has_is_told() {
    let [a, b] = nodes().await;
    let client = b.connect().await;
    let id = client.headers["x-client-id"].to_str().unwrap().parse().unwrap();
    drop(client);
    crate::node::until(async || b.hub.local_connection(id).is_none()).await;
    assert_eq!(a.hub.connection(id).send(Said { n: 1 }).await.unwrap_err().kind(), SendErrorKind::Closed);
    assert!(!a.hub.connection(id).disconnect().await && !a.hub.connection(id).reauthorize().await);
}

#[tokio::test]
async fn subscribers_of_all_nodes_are_counted_and_removed() {
    let [a, b] = nodes().await;
    let (_one, mut two) = (a.member("room:1").await, b.member("room:1").await);
    let room = a.hub.topic("room:1");
    assert_eq!((*room.subscriber_count().await, room.local_subscriber_count()), (2, 1));
    let id = two.headers["x-client-id"].to_str().unwrap().parse().unwrap();
    assert!(room.remove(id).await);
    assert!(!room.remove(id).await);
    assert_eq!(room.subscriber_count().await, 1);
    a.hub.publish("room:1", Said { n: 1 }).await.unwrap();
    a.hub.connection(id).send(Said { n: 2 }).await.unwrap();
    assert_eq!(said(&mut two).await, 2);
}

/// A number that lacks a node says so.
#[tokio::test]
async fn counts_without_a_silent_node_are_incomplete() {
    let [a, b] = nodes().await;
    let (_one, _two) = (a.member("room:1").await, b.member("room:1").await);
    let _ann = b.connect_as("ann").await;
    let (room, ann) = (a.hub.topic("room:1"), a.hub.user("ann"));
    assert!(room.subscriber_count().await.is_complete());
    crate::node::until(async || ann.connection_count().await == 1).await;
    assert!(ann.connection_count().await.is_complete() && ann.connections().await.is_complete());
    // Neither asked nor known to be gone.
    b.broker.hold();
    let (members, connections) = tokio::join!(room.subscriber_count(), ann.connections());
    assert_eq!((*members, members.is_complete()), (1, false));
    assert_eq!((connections.len(), connections.is_complete()), (0, false));
    b.broker.release();
    crate::node::until(async || room.subscriber_count().await.is_complete()).await;
    assert_eq!(room.subscriber_count().await, 2);
    a.broker.cut("pulled the plug");
    crate::node::until(async || !ann.connection_count().await.is_complete()).await;
    assert!(!room.subscriber_count().await.is_complete());
}

/// Who takes a right away must know whether it is gone everywhere.
#[tokio::test]
async fn commands_that_a_node_does_not_confirm_are_incomplete() {
    let [a, b] = nodes().await;
    let (_here, mut there) = (a.connect_as("ann").await, b.connect_as("ann").await);
    let (room, ann) = (a.hub.topic("room:1"), a.hub.user("ann"));
    crate::node::until(async || ann.connection_count().await == 2).await;
    let sent = ann.send(Said { n: 1 }).await.unwrap();
    assert_eq!((*sent, sent.is_complete()), (2, true));
    assert_eq!(said(&mut there).await, 1);
    b.broker.hold();
    let (sent, reauthorized, revoked, topic) =
        tokio::join!(ann.send(Said { n: 2 }), ann.reauthorize(), ann.revoke("room:1"), room.reauthorize());
    let sent = sent.unwrap();
    assert_eq!((*sent, sent.is_complete()), (1, false));
    assert_eq!((*reauthorized, reauthorized.is_complete()), (1, false));
    assert_eq!((*revoked, revoked.is_complete()), (0, false));
    assert_eq!((*topic, topic.is_complete()), (0, false));
    let closed = ann.disconnect().await;
    assert_eq!((*closed, closed.is_complete()), (1, false));
    // What was held is done late.
    b.broker.release();
    assert_eq!(said(&mut there).await, 2);
    assert_eq!(there.expect_close().await.0, 4503);
}
