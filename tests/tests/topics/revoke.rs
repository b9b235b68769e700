//! Rights that are taken back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use switchboard::{Hub, TopicErrorKind, TopicOptions, WsError};
use tokio::sync::Semaphore;

use crate::{Note, Place, User, notes_until};

#[tokio::test]
async fn a_revoked_subscriber_is_removed_within_a_second() {
    let closed = Arc::new(AtomicBool::new(false));
    let options = TopicOptions::new().authorize_subscribe({
        let closed = Arc::clone(&closed);
        async move |member, _| {
            let is_admin = member.data::<User>().is_some_and(|user| user.role == "admin");
            if is_admin || !closed.load(SeqCst) { Ok(()) } else { Err(WsError::permission_denied("closed")) }
        }
    });
    let mut place = Place::new(Hub::builder().topic("room:*", options).build());
    let mut members = Vec::new();
    // More than are asked about at once.
    for n in 0..100 {
        let role = if n % 10 == 0 { "admin" } else { "" };
        let (client, conn) = place.connect_as(&n.to_string(), role, &[]).await;
        conn.subscribe_many(["room:1", "lobby"]).await.unwrap();
        members.push((client, conn));
    }
    assert_eq!(place.hub.topic("room:1").reauthorize().await, 0);
    closed.store(true, SeqCst);
    let start = Instant::now();
    assert_eq!(place.hub.topic("room:1").reauthorize().await, 90);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(
        (place.hub.topic("room:1").local_subscriber_count(), place.hub.topic("lobby").local_subscriber_count()),
        (10, 100)
    );
    assert_eq!(place.hub.publish("room:1", Note::new(1)).await.unwrap().count(), Some(10));
    place.hub.publish("lobby", Note::new(2)).await.unwrap();
    for (client, conn) in &mut members {
        let got = notes_until(client, 2).await;
        assert_eq!(got, if conn.data().role == "admin" { vec![1] } else { vec![] });
    }
    // Topics without rule, members or name.
    for topic in ["lobby", "room:2", "no good"] {
        assert_eq!(place.hub.topic(topic).reauthorize().await, 0);
    }
}

#[tokio::test]
async fn one_member_may_be_removed() {
    let mut place = Place::new(Hub::new());
    let (mut client, conn) = place.connect("ann").await;
    conn.subscribe_many(["a", "b"]).await.unwrap();
    assert!(place.hub.topic("a").remove(conn.id()).await);
    assert!(!place.hub.topic("a").remove(conn.id()).await);
    assert_eq!(conn.topics(), ["b"]);
    place.hub.publish("a", Note::new(1)).await.unwrap();
    place.hub.publish("b", Note::new(2)).await.unwrap();
    assert!(notes_until(&mut client, 2).await.is_empty());
    let id = conn.id();
    client.close(1000).await;
    while place.hub.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    assert!(!place.hub.topic("b").remove(id).await);
}

#[tokio::test]
async fn a_permission_revoked_during_authorization_is_asked_again() {
    let (asked, answers, closed) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)), Arc::new(AtomicBool::new(false)));
    let options = TopicOptions::new().authorize_subscribe({
        let (asked, answers, closed) = (Arc::clone(&asked), Arc::clone(&answers), Arc::clone(&closed));
        async move |_, _| {
            asked.fetch_add(1, SeqCst);
            // Read before the answer is given.
            let was_closed = closed.load(SeqCst);
            answers.acquire().await.unwrap().forget();
            if was_closed { Err(WsError::permission_denied("closed")) } else { Ok(()) }
        }
    });
    let mut place = Place::new(Hub::builder().topic("room:*", options).build());
    let (_client, conn) = place.connect("ann").await;
    let subscribing = tokio::spawn({
        let conn = conn.clone();
        async move { conn.subscribe_many(["room:1", "x"]).await }
    });
    while asked.load(SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    closed.store(true, SeqCst);
    assert_eq!(place.hub.topic("room:1").reauthorize().await, 0);
    answers.add_permits(2);
    assert_eq!(subscribing.await.unwrap().unwrap_err().kind(), TopicErrorKind::Refused);
    assert_eq!((asked.load(SeqCst), conn.topics()), (2, vec![]));
}
