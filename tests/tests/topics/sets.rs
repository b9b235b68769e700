//! Sets of topics: all of a change or nothing of it, and in what order it is decided.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use serde_json::json;
use switchboard::{Config, Hub, TopicErrorKind, TopicOptions, WsError};
use tokio::sync::Semaphore;

use crate::{Note, Place, is_waiting, notes_until};

#[tokio::test]
async fn many_topics_are_joined_and_left_at_once() {
    let mut place = Place::new(Hub::new());
    let (mut client, conn) = place.connect("ann").await;
    let change = conn.subscribe_many(["a", "b", "a"]).await.unwrap();
    assert_eq!((change.joined, change.left), (vec!["a".into(), "b".into()], vec![]));
    let change = conn.subscribe_many(["b", "c"]).await.unwrap();
    assert_eq!(change.joined, ["c"]);
    for (n, topic) in ["a", "b", "c"].into_iter().enumerate() {
        place.hub.publish(topic, Note::new(u32::try_from(n).unwrap())).await.unwrap();
        assert_eq!(client.expect("NOTE").await["n"], n);
    }
    let change = conn.unsubscribe_many(["c", "a", "never"]).await.unwrap();
    assert_eq!((change.joined, change.left), (vec![], vec!["c".into(), "a".into()]));
    assert_eq!((conn.topics(), place.hub.topic("a").local_subscriber_count()), (vec!["b".to_owned()], 0));
    let change = conn.set_topics(["d", "b", "e"]).await.unwrap();
    assert_eq!((change.joined, change.left), (vec!["d".into(), "e".into()], vec![]));
    let change = conn.set_topics(["e", "f"]).await.unwrap();
    assert_eq!((change.joined, change.left), (vec!["f".into()], vec!["b".into(), "d".into()]));
    for topic in ["b", "d", "f"] {
        place.hub.publish(topic, Note::new(9)).await.unwrap();
    }
    assert!(notes_until(&mut client, 9).await.is_empty());
    let change = conn.clear_topics().await.unwrap();
    assert_eq!(change.left, ["e", "f"]);
    assert_eq!((place.hub.stats().subscriptions, place.hub.stats().topics), (0, 0));
}

#[tokio::test]
async fn a_batch_that_fails_changes_nothing() {
    let rooms = TopicOptions::new().authorize_subscribe(async |_, topic| match &*topic {
        "room:secret" => Err(WsError::permission_denied("not yours")),
        _ => Ok(()),
    });
    let hub = Hub::builder().topic("room:*", rooms).build();
    let mut place = Place::with(hub, Config::new().max_subscriptions(4));
    let (_client, conn) = place.connect("ann").await;
    conn.subscribe_many(["a", "room:1"]).await.unwrap();
    let kind = |result: Result<_, switchboard::TopicError>| result.map_err(|error| error.kind()).unwrap_err();

    let too_many = kind(conn.subscribe_many(["x", "y", "z"]).await);
    assert!(matches!(too_many, TopicErrorKind::Limit { limit: 4, current: 2, .. }), "{too_many:?}");
    assert_eq!(kind(conn.subscribe_many(["x", "no good"]).await), TopicErrorKind::InvalidTopic);
    assert_eq!(kind(conn.unsubscribe_many(["a", "no good"]).await), TopicErrorKind::InvalidTopic);
    assert_eq!(kind(conn.subscribe_many(["x", "room:secret"]).await), TopicErrorKind::Refused);
    assert_eq!(kind(conn.set_topics(["x", "room:secret"]).await), TopicErrorKind::Refused);
    assert_eq!(conn.topics(), ["a", "room:1"]);
    assert_eq!(place.hub.topic("x").local_subscriber_count(), 0);

    // As many leave as come.
    conn.set_topics(["w", "x", "y", "z"]).await.unwrap();
    assert_eq!(conn.topics(), ["w", "x", "y", "z"]);
    let too_many = kind(conn.set_topics(["1", "2", "3", "4", "5"]).await);
    assert!(matches!(too_many, TopicErrorKind::Limit { limit: 4, current: 4, .. }), "{too_many:?}");
}

#[tokio::test]
async fn a_subscription_is_normalised_named_limited_and_authorised_in_order() {
    let asked = Arc::new(AtomicUsize::new(0));
    let rooms = TopicOptions::new().allow_names(|name| name != "room:odd").max_per_connection(1).authorize_subscribe({
        let asked = Arc::clone(&asked);
        async move |_, topic: Arc<str>| {
            asked.fetch_add(1, SeqCst);
            if &*topic == "room:secret" { Err(WsError::permission_denied("not yours")) } else { Ok(()) }
        }
    });
    let hub = Hub::builder().normalize_topics(|name| name.to_lowercase()).topic("room:*", rooms).build();
    let mut place = Place::new(hub);
    let (mut client, conn) = place.connect("ann").await;

    // The normalised topic is asked about, once.
    assert!(conn.subscribe("Room:A").await.unwrap());
    assert!(!conn.subscribe("ROOM:a").await.unwrap());
    assert_eq!((conn.topics(), asked.load(SeqCst)), (vec!["room:a".to_owned()], 1));
    assert!(conn.is_subscribed("rOOM:A") && place.hub.topic("ROOM:A").local_subscriber_count() == 1);
    let members: Vec<_> = place.hub.topic("ROOM:a").local_members().collect();
    assert!(members.len() == 1 && members[0].is_subscribed("Room:A"));
    place.hub.publish("RooM:a", Note::new(1)).await.unwrap();
    assert_eq!(client.expect("NOTE").await["n"], 1);

    // The rule for names before the authorisation, and that before the quota.
    let kind = async |topic: &str| conn.subscribe(topic).await.unwrap_err().kind();
    assert_eq!((kind("room:odd").await, asked.load(SeqCst)), (TopicErrorKind::NotAllowed, 1));
    assert_eq!((kind("room:secret").await, asked.load(SeqCst)), (TopicErrorKind::Refused, 2));
    let quota = kind("room:b").await;
    assert!(matches!(quota, TopicErrorKind::PatternLimit { limit: 1, current: 1, .. }), "{quota:?}");
    assert_eq!(asked.load(SeqCst), 3);

    assert!(conn.unsubscribe("ROOM:A").await.unwrap());
    assert!(!conn.unsubscribe("room:a").await.unwrap());
    conn.subscribe("room:b").await.unwrap();
}

#[tokio::test]
async fn a_change_waits_for_one_in_flight_on_the_same_topic() {
    let (asked, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let slow = TopicOptions::new().authorize_subscribe({
        let (asked, answers) = (Arc::clone(&asked), Arc::clone(&answers));
        async move |_, _| {
            asked.fetch_add(1, SeqCst);
            answers.acquire().await.unwrap().forget();
            Ok::<_, WsError>(())
        }
    });
    let hub = Hub::builder().topic("slow:*", slow).build();
    let mut place = Place::new(hub);
    let (_client, conn) = place.connect("ann").await;

    // One that is given up lets the next one go on.
    assert!(is_waiting(conn.subscribe("slow:1")).await);
    assert!(!conn.is_subscribed("slow:1"));

    let subscribe = || {
        let conn = conn.clone();
        tokio::spawn(async move { conn.subscribe("slow:1").await.unwrap() })
    };
    let first = subscribe();
    while asked.load(SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let second = subscribe();
    // Others do not wait, but all of them at once do.
    conn.subscribe("quick").await.unwrap();
    assert!(is_waiting(conn.unsubscribe("slow:1")).await);
    assert!(is_waiting(conn.clear_topics()).await);
    assert!(is_waiting(conn.subscribe_many(["slow:1", "x"])).await);
    assert!(!conn.is_subscribed("x"));
    answers.add_permits(1);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (true, false));
    assert_eq!(asked.load(SeqCst), 2, "the second one was asked about, too");
    assert_eq!(conn.topics(), ["quick", "slow:1"]);
    // Nothing is left in flight.
    conn.clear_topics().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_ends_is_subscribed_to_nothing() {
    let answers = Arc::new(Semaphore::new(0));
    let slow = TopicOptions::new().authorize_subscribe({
        let answers = Arc::clone(&answers);
        async move |_, _| {
            answers.acquire().await.unwrap().forget();
            Ok::<_, WsError>(())
        }
    });
    let mut place = Place::new(Hub::builder().topic("slow:*", slow).build());
    let (mut client, conn) = place.connect("ann").await;
    let subscribing = tokio::spawn({
        let conn = conn.clone();
        async move { conn.subscribe_many(["a", "slow:1"]).await }
    });
    client.close(1000).await;
    answers.add_permits(1);
    let error = subscribing.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), TopicErrorKind::Closed);
    assert_eq!(WsError::from(error).code().as_str(), json!("CANCELLED"));
    assert_eq!(place.hub.stats().subscriptions, 0);
}
