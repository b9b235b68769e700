//! Who gets what: filters that see the member and the message.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Instant,
};

use switchboard::{ConnRef, Hub, Matched, Topic, TopicOptions, WsError, ws_message};

use crate::{Note, Other, Place, User, notes_until};

/// `subscribe(topic, filter?)`, `unsubscribe`, `unsubscribeAll`, `publish(skipSender)` that counts,
/// `subscriberCount`, `getSubscribedTopics`.
#[tokio::test]
async fn a_subscriber_may_filter_what_it_gets() {
    let mut place = Place::new(Hub::new());
    let (mut a, ann) = place.connect("ann").await;
    let (mut b, bob) = place.connect("bob").await;
    let (mut c, cid) = place.connect("cid").await;
    ann.subscribe("t").await.unwrap();
    assert!(bob.subscribe("t").filter(|_, note: &Note| note.n.is_multiple_of(2)).await.unwrap());
    assert!(cid.subscribe("t").filter(|member, note: &Note| note.text != *member.user().unwrap()).await.unwrap());
    assert_eq!(place.hub.topic("t").local_subscriber_count(), 3);
    let mut matched = Vec::new();
    for n in 0..4 {
        let text = if n == 2 { "cid" } else { "" }.to_owned();
        let publish = ann.publish("t", Note { n, text }).except_self();
        matched.push(publish.await.unwrap().matched());
    }
    assert_eq!(matched, [2, 1, 1, 1].map(Matched::Exact));
    // Of other types all pass.
    assert_eq!(ann.publish("t", Other {}).await.unwrap().count(), Some(3));
    a.expect("OTHER").await;
    for (client, expected) in [(&mut b, [0, 2].as_slice()), (&mut c, &[0, 1, 3])] {
        for n in expected {
            assert_eq!(client.expect("NOTE").await["n"], *n);
        }
        client.expect("OTHER").await;
    }
    // A filter goes with its subscription.
    assert!(!bob.subscribe("t").filter(|_, _: &Note| true).await.unwrap());
    ann.publish("t", Note::new(5)).await.unwrap();
    bob.unsubscribe("t").await.unwrap();
    bob.subscribe("t").await.unwrap();
    assert_eq!(ann.publish("t", Note::new(7)).await.unwrap().count(), Some(3));
    assert!(notes_until(&mut b, 7).await.is_empty());
    assert_eq!(bob.topics(), ["t"]);
    for conn in [&ann, &bob, &cid] {
        conn.clear_topics().await.unwrap();
    }
    assert_eq!(place.hub.topic("t").local_subscriber_count(), 0);
}

/// What handlers keep with a connection, filters may look at.
#[tokio::test]
async fn filters_see_attributes() {
    struct Mute(u32);
    let mut place = Place::new(Hub::new());
    let (mut a, ann) = place.connect("ann").await;
    let not_muted =
        |member: &ConnRef, note: &Note| member.attributes().get::<Mute>().is_none_or(|mute| note.n >= mute.0);
    ann.subscribe("t").filter(not_muted).await.unwrap();
    place.hub.publish("t", Note::new(1)).await.unwrap();
    assert!(ann.attributes().insert(Mute(3)).unwrap().is_none());
    for n in [2, 3] {
        place.hub.publish("t", Note::new(n)).await.unwrap();
    }
    assert_eq!(notes_until(&mut a, 3).await, [1]);
}

#[ws_message("MOD_ACTION")]
struct ModAction {
    room_id: String,
    user_id: String,
    username: String,
    action: String,
    /// What the message itself asks for.
    min_level: u8,
}

#[tokio::test]
async fn a_filter_chooses_subscribers_by_role() {
    fn level(user: &User) -> u8 {
        match user.role.as_str() {
            "admin" => 2,
            "moderator" => 1,
            _ => 0,
        }
    }
    let rooms = TopicOptions::new()
        .filter(|member, action: &ModAction| {
            member.data::<User>().is_some_and(|user| level(user) >= action.min_level.max(1))
        })
        .authorize_publish(async |member, _| match member.data::<User>() {
            Some(user) if level(user) >= 1 => Ok(()),
            _ => Err(WsError::permission_denied("You don't have permission to perform moderator actions")),
        });
    let mut place = Place::new(Hub::builder().topic("room:*", rooms).build());
    let mut people = Vec::new();
    for role in ["user", "moderator", "admin"] {
        let (client, conn) = place.connect_as(role, role, &[]).await;
        conn.subscribe("room:1").await.unwrap();
        people.push((client, conn));
    }
    let action = |min_level| ModAction {
        room_id: "1".into(),
        user_id: "u".into(),
        username: "eve".into(),
        action: "mute".into(),
        min_level,
    };
    let error = people[0].1.publish("room:1", action(0)).await.unwrap_err();
    let error = WsError::from(error);
    assert_eq!(error.code().as_str(), "PERMISSION_DENIED");
    assert_eq!(error.message(), "You don't have permission to perform moderator actions");
    assert_eq!(people[1].1.publish("room:1", action(0)).await.unwrap().count(), Some(2));
    assert_eq!(people[1].1.publish("room:1", action(2)).await.unwrap().count(), Some(1));
    // To everyone.
    assert_eq!(people[2].1.publish("room:1", Note::new(1)).await.unwrap().count(), Some(3));
    for ((client, _), expected) in people.iter_mut().zip([0, 1, 2]) {
        for _ in 0..expected {
            let payload = client.expect("MOD_ACTION").await;
            assert_eq!((&payload["username"], &payload["action"]), (&"eve".into(), &"mute".into()));
        }
        client.expect("NOTE").await;
    }
}

#[tokio::test]
async fn filtered_publishes_keep_their_place_among_others() {
    let mut place = Place::new(Hub::builder().topic("f", TopicOptions::new().filter(|_, n: &Note| n.n != 3)).build());
    let (mut client, conn) = place.connect("ann").await;
    conn.subscribe_many(["f", "plain"]).await.unwrap();
    for n in 0..200 {
        match n % 4 {
            0 => conn.send(Note::new(n)).unwrap(),
            1 => drop(conn.publish("plain", Note::new(n)).await.unwrap()),
            _ => drop(conn.publish("f", Note::new(n)).await.unwrap()),
        }
    }
    let expected: Vec<_> = (0..199).filter(|n| *n != 3).collect();
    assert_eq!(notes_until(&mut client, 199).await, expected);
}

#[tokio::test]
async fn a_filter_that_panics_and_one_that_came_too_late_let_nothing_through() {
    #[expect(clippy::panic, reason = "what is tested")]
    fn panics(_: &switchboard::ConnRef, _: &Note) -> bool {
        panic!("broken");
    }
    let topic = Topic::<Note>::new("t");
    let mut place = Place::new(Hub::new());
    let (mut a, ann) = place.connect("ann").await;
    let (mut b, bob) = place.connect("bob").await;
    ann.subscribe(&topic).await.unwrap();
    let before = place.hub.publish(&topic, Note::new(1));
    bob.subscribe(&topic).filter(panics).await.unwrap();
    before.await.unwrap();
    assert_eq!(place.hub.publish(&topic, Note::new(2)).await.unwrap().count(), Some(1));
    place.hub.publish("t", Other {}).await.unwrap();
    b.expect("OTHER").await;
    assert_eq!(notes_until(&mut a, 2).await, [1]);
}

/// Counts the errors of this thread that say so.
#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<u8>>>);

impl io::Write for Errors {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_filter_that_panics_for_each_message_does_not_fill_the_log() {
    #[expect(clippy::panic, reason = "what is tested")]
    fn panics(_: &ConnRef, _: &Note) -> bool {
        panic!("broken");
    }
    let errors = Errors::default();
    let writer = errors.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::ERROR)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut place = Place::new(Hub::builder().topic("t", TopicOptions::new().filter(panics)).build());
    let (_client, conn) = place.connect("ann").await;
    conn.subscribe("t").await.unwrap();
    let start = Instant::now();
    for n in 0..300 {
        assert_eq!(place.hub.publish("t", Note::new(n)).await.unwrap().count(), Some(0));
    }
    let text = String::from_utf8_lossy(&errors.0.lock().unwrap()).into_owned();
    let logged = text.matches("a topic's filter panicked").count();
    // Twenty in each second that it took, and in the one in which it began.
    let most = 20 * (2 + usize::try_from(start.elapsed().as_secs()).unwrap());
    assert!((20..=most.min(200)).contains(&logged), "{logged} of at most {most}");
}
