//! Rules for topics: names, who may, and how many.

use std::time::Duration;

use switchboard::{BatchOptions, Hub, Matched, PublishErrorKind, Topic, TopicErrorKind, TopicOptions, WsError};

use crate::{Note, Other, Place, User, notes_until};

#[tokio::test]
async fn subscribing_is_authorised_by_the_members_data_and_user() {
    let options = TopicOptions::new().authorize_subscribe(async |member, topic| {
        let user = member.user().ok_or_else(|| WsError::unauthenticated("who are you?"))?;
        let is_admin = member.data::<User>().is_some_and(|user| user.role == "admin");
        assert!(member.data::<String>().is_none());
        if is_admin || topic.strip_prefix("user:") == Some(&*user) {
            Ok(())
        } else {
            Err(WsError::permission_denied(format!("{topic} is not {user}'s")))
        }
    });
    let mut place = Place::new(Hub::builder().topic("user:*", options).build());
    let (_ann, ann) = place.connect("ann").await;
    let (_root, root) = place.connect_as("root", "admin", &[]).await;
    assert!(ann.subscribe("user:ann").await.unwrap());
    assert!(root.subscribe("user:ann").await.unwrap());
    let error = ann.subscribe("user:bob").await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (TopicErrorKind::Refused, "user:bob is not ann's"));
    assert_eq!(WsError::from(error).code().as_str(), "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_rule_that_panics_or_does_not_answer_refuses() {
    #[expect(clippy::panic, reason = "what is tested")]
    async fn panics(_: switchboard::ConnRef, _: std::sync::Arc<str>) -> Result<(), WsError> {
        panic!("broken");
    }
    let hangs = TopicOptions::new()
        .authorize_subscribe(async |_, _| std::future::pending::<Result<(), WsError>>().await)
        .authorize_timeout(std::time::Duration::from_millis(20));
    let hub =
        Hub::builder().topic("panics", TopicOptions::new().authorize_subscribe(panics)).topic("hangs", hangs).build();
    let mut place = Place::new(hub);
    let (_client, conn) = place.connect("ann").await;
    let error = conn.subscribe("panics").await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (TopicErrorKind::Refused, "internal error"));
    let error = conn.subscribe("hangs").await.unwrap_err();
    assert_eq!(error.kind(), TopicErrorKind::Unanswered);
    assert_eq!(WsError::from(error).code().as_str(), "UNAVAILABLE");
    assert!(conn.topics().is_empty());
}

#[tokio::test]
async fn members_are_limited() {
    let mut place = Place::new(Hub::builder().topic("duel:*", TopicOptions::new().max_members(2)).build());
    let (_a, a) = place.connect("a").await;
    let (_b, b) = place.connect("b").await;
    let (_c, c) = place.connect("c").await;
    for conn in [&a, &b] {
        assert!(conn.subscribe("duel:1").await.unwrap());
    }
    let error = c.subscribe_many(["x", "duel:1"]).await.unwrap_err();
    assert!(matches!(error.kind(), TopicErrorKind::MembersLimit { limit: 2, current: 2, .. }), "{error:?}");
    assert_eq!(WsError::from(error).code().as_str(), "RESOURCE_EXHAUSTED");
    assert!(!a.subscribe("duel:1").await.unwrap(), "a member stays one");
    a.unsubscribe("duel:1").await.unwrap();
    c.subscribe_many(["x", "duel:1"]).await.unwrap();
}

#[tokio::test]
async fn publishing_is_authorised() {
    let options = TopicOptions::new().authorize_publish(async |member, _| {
        let may = member.data::<User>().is_some_and(|user| user.role == "speaker");
        if may { Ok(()) } else { Err(WsError::permission_denied("listen")) }
    });
    let mut place = Place::new(Hub::builder().topic("talk:*", options).build());
    let (mut client, listener) = place.connect("ann").await;
    let (_speaker, speaker) = place.connect_as("bob", "speaker", &[]).await;
    listener.subscribe("talk:1").await.unwrap();
    let error = listener.publish("talk:1", Note::new(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.retryable()), (PublishErrorKind::Refused, false));
    assert_eq!(WsError::from(error).message(), "listen");
    assert_eq!(speaker.publish("talk:1", Note::new(2)).await.unwrap().count(), Some(1));
    // The application itself is not asked about.
    place.hub.publish("talk:1", Note::new(3)).await.unwrap();
    assert_eq!(notes_until(&mut client, 3).await, [2]);
}

#[tokio::test]
async fn topic_names_can_be_narrowed() {
    let options = TopicOptions::new().allow_names(|name| name.len() < 10);
    let mut place = Place::new(Hub::builder().topic("talk:*", options).build());
    let (mut client, conn) = place.connect("ann").await;
    conn.subscribe("talk:1234").await.unwrap();
    let error = conn.subscribe("talk:12345").await.unwrap_err();
    assert_eq!((error.kind(), conn.topics()), (TopicErrorKind::NotAllowed, vec!["talk:1234".to_owned()]));
    let error = place.hub.publish("talk:12345", Note::new(1)).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::NotAllowed);
    assert!(error.to_string().contains("`talk:12345`") && error.to_string().contains("`talk:*`"), "{error}");
    place.hub.publish("talk:1234", Note::new(2)).await.unwrap();
    assert!(notes_until(&mut client, 2).await.is_empty());
}

#[tokio::test]
async fn no_self_delivery_by_rule() {
    let mut place = Place::new(Hub::builder().topic("cursor:*", TopicOptions::new().no_self_delivery()).build());
    let (mut a, ann) = place.connect("ann").await;
    let (mut b, bob) = place.connect("bob").await;
    for conn in [&ann, &bob] {
        conn.subscribe("cursor:1").await.unwrap();
    }
    let published = ann.publish("cursor:1", Note::new(1)).await.unwrap();
    assert_eq!(published.matched(), Matched::Exact(1));
    place.hub.publish("cursor:1", Note::new(2)).await.unwrap();
    assert!(notes_until(&mut a, 2).await.is_empty());
    assert_eq!(notes_until(&mut b, 2).await, [1]);
}

#[tokio::test]
async fn topics_may_know_their_messages() {
    const NOTES: Topic<Note> = Topic::from_static("notes");
    let mut place = Place::new(Hub::new());
    let (mut client, conn) = place.connect("ann").await;
    conn.subscribe(NOTES).await.unwrap();
    let others = Topic::<Other>::new(format!("no{}", "tes"));
    conn.publish(&NOTES, Note::new(1)).await.unwrap();
    place.hub.publish(&others, Other {}).await.unwrap();
    assert_eq!(client.expect("NOTE").await["n"], 1);
    client.expect("OTHER").await;
    // They stand wherever a name does.
    assert_eq!(
        (place.hub.topic(&NOTES).local_subscriber_count(), place.hub.topic(NOTES).local_members().count()),
        (1, 1)
    );
    assert!(conn.is_subscribed(&others) && conn.unsubscribe(&NOTES).await.unwrap());
    assert_eq!(conn.subscribe_many([&NOTES]).await.unwrap().joined, ["notes"]);
    assert_eq!(conn.set_topics([NOTES]).await.unwrap().left, [""; 0]);
    // What publishes less often knows its message by the topic.
    let latest = place.hub.topic(&NOTES).throttle(Duration::from_millis(1));
    latest.publish(Note::new(2)).unwrap();
    latest.flush().await;
    let batch = place.hub.topic(&NOTES).batch(BatchOptions::new(), |items: Vec<u32>| Note::new(items[0]));
    batch.push(3).unwrap();
    batch.flush().await;
    for n in [2, 3] {
        assert_eq!(client.expect("NOTE").await["n"], n);
    }
    assert_eq!(conn.unsubscribe_many([NOTES]).await.unwrap().left, ["notes"]);
}
