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
    assert_eq!((room.subscriber_count().await, room.local_subscriber_count()), (2, 1));
    let id = two.headers["x-client-id"].to_str().unwrap().parse().unwrap();
    assert!(room.remove(id).await);
    assert!(!room.remove(id).await);
    assert_eq!(room.subscriber_count().await, 1);
    a.hub.publish("room:1", Said { n: 1 }).await.unwrap();
    a.hub.connection(id).send(Said { n: 2 }).await.unwrap();
    assert_eq!(said(&mut two).await, 2);
}
