//! Connections by id, all of them, and the members of topics.

use std::{collections::BTreeSet, time::SystemTime};

use futures_util::StreamExt as _;
use serde_json::json;
use switchboard::{ConnId, Hub, SendErrorKind};
use switchboard_tests::client::PATIENCE;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::{Notice, User, connect, connected, id, join_topic, now, request, serve, until};

/// Waits until the clock shows more than that: the next moment can be told from it.
async fn clock_passes(time: SystemTime) {
    until(|| now() > time).await;
}

#[tokio::test]
async fn connections_are_listed_and_found_by_id() {
    let hub = Hub::new();
    let server = serve(&hub);
    let before = now();
    let (mut one, conn) = connected(&server, &hub).await;
    let after = now();
    assert!(before <= conn.connected_at() && conn.connected_at() <= after);
    assert_eq!((conn.last_activity(), conn.user(), conn.topics()), (conn.connected_at(), None, vec![]));
    // Whose it is, what it does, where it is.
    request(&mut one, "AUTH", json!({ "user": "ann" })).await;
    assert_eq!(conn.user().as_deref(), Some("ann"));
    let before = now();
    join_topic(&mut one, "news").await;
    let after = now();
    let active = conn.last_activity();
    assert!(before <= active && active <= after, "{before:?} {active:?} {after:?}");
    assert_eq!((conn.topics(), conn.is_subscribed("news")), (vec!["news".to_owned()], true));
    // What the client says to the server's machinery does not count, but what it says does.
    clock_passes(active).await;
    one.raw(&switchboard_tests::client::masked(0x89, b"")).await;
    let answer = timeout(PATIENCE, one.ws.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(answer, Message::Pong(_)), "{answer:?}");
    assert_eq!(conn.last_activity(), active);
    let before = now();
    request(&mut one, "PING", json!({})).await;
    let active = conn.last_activity();
    assert!(before <= active && active <= now(), "{before:?} {active:?}");
    // All of them.
    let two = connect(&server, "bob").await;
    let ids: BTreeSet<ConnId> = hub.local_connections().map(|conn| conn.id()).collect();
    assert_eq!(ids, BTreeSet::from([id(&one), id(&two)]));
    let users: BTreeSet<_> = hub.local_connections().map(|conn| conn.data::<User>().unwrap().user.clone()).collect();
    assert_eq!(users, BTreeSet::from([None, Some("bob".to_owned())]));
    assert!(hub.local_connections().all(|conn| conn.data::<String>().is_none()));
    // Who has left is not among them, also in the midst of looking.
    let mut left = hub.local_connections();
    assert_eq!(one.close(1000).await, 1000);
    until(|| hub.local_connection(id(&one)).is_none()).await;
    assert_eq!(left.by_ref().map(|conn| conn.id()).collect::<Vec<_>>(), [id(&two)]);
    assert!(conn.is_closed());
}

#[tokio::test]
async fn one_connection_is_sent_to_and_closed() {
    let hub = Hub::new();
    let server = serve(&hub);
    let (mut client, conn) = connected(&server, &hub).await;
    hub.connection(id(&client)).send(Notice::new("a")).await.unwrap();
    conn.send(Notice::new("b")).unwrap();
    for text in ["a", "b"] {
        assert_eq!(client.expect("NOTICE").await, json!({ "text": text }));
    }
    let long = || Notice::new(&"x".repeat(21));
    assert_eq!(conn.send(long()).unwrap_err().kind(), SendErrorKind::Invalid);
    assert_eq!(hub.connection(conn.id()).send(long()).await.unwrap_err().kind(), SendErrorKind::Invalid);
    // What was sent before arrives.
    conn.send(Notice::new("c")).unwrap();
    assert!(hub.connection(conn.id()).disconnect_with(4000, "enough").await);
    assert_eq!(conn.send(Notice::new("d")).unwrap_err().kind(), SendErrorKind::Closed);
    client.expect("NOTICE").await;
    assert_eq!(client.expect_close().await, (4000, "enough".to_owned()));
    drop(client);
    until(|| hub.local_connection(conn.id()).is_none()).await;
    assert!(!hub.connection(conn.id()).disconnect().await);
    assert_eq!(hub.connection(conn.id()).send(Notice::new("e")).await.unwrap_err().kind(), SendErrorKind::Closed);
    let (mut client, conn) = connected(&server, &hub).await;
    conn.disconnect();
    assert_eq!(client.expect_close().await, (4503, "kicked".to_owned()));
}

#[tokio::test]
async fn members_of_a_topic_are_seen_in_portions() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut clients = Vec::new();
    for _ in 0..600 {
        let mut client = server.connect("/ws").await;
        join_topic(&mut client, "room").await;
        clients.push(client);
    }
    let members = || hub.topic("room").local_members().map(|conn| conn.id()).collect::<BTreeSet<_>>();
    assert_eq!(members(), clients.iter().map(id).collect());
    assert_eq!(
        (
            hub.topic("room").local_members().count(),
            hub.topic("room").local_subscriber_count(),
            hub.topic("other").local_members().count()
        ),
        (600, 600, 0)
    );
    // Holes in the midst.
    let gone: Vec<_> = clients.drain(100..500).map(|client| id(&client)).collect();
    until(|| gone.iter().all(|id| hub.local_connection(*id).is_none())).await;
    assert_eq!(members(), clients.iter().map(id).collect());
}
