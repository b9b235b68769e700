//! Rights that are taken back while other things go on: changes on their way, slow rules.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use switchboard::{Conn, Hub, TopicChange, TopicError, TopicErrorKind, TopicOptions, WsError};
use switchboard_tests::client::PATIENCE;
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{Place, User};

/// A rule whose answers the test gives: each is what the rule said when it was asked.
#[derive(Clone, Default)]
struct Gate {
    asked: Arc<Mutex<Vec<String>>>,
    closed: Arc<Mutex<HashSet<String>>>,
    answers: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

impl Gate {
    fn hub(&self) -> Hub {
        let gate = self.clone();
        let rooms = TopicOptions::new().authorize_subscribe(async move |_, topic: Arc<str>| {
            gate.asked.lock().unwrap().push(topic.to_string());
            let is_closed = gate.closed.lock().unwrap().contains(&*topic);
            gate.answers_of(&topic).acquire().await.unwrap().forget();
            if is_closed { Err(WsError::permission_denied("closed")) } else { Ok(()) }
        });
        Hub::builder().topic("room:*", rooms).build()
    }

    fn answers_of(&self, topic: &str) -> Arc<Semaphore> {
        Arc::clone(self.answers.lock().unwrap().entry(topic.to_owned()).or_insert(Arc::new(Semaphore::new(0))))
    }

    fn answer(&self, topic: &str) {
        self.answers_of(topic).add_permits(1);
    }

    fn close(&self, topic: &str) {
        self.closed.lock().unwrap().insert(topic.to_owned());
    }

    /// How often was asked about a topic.
    fn asked(&self, topic: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == topic).count()
    }

    async fn until_asked(&self, topic: &str, times: usize) {
        let asked = async {
            while self.asked(topic) < times {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap();
    }
}

fn set_topics(conn: &Conn<User>, topics: &'static [&'static str]) -> JoinHandle<Result<TopicChange, TopicError>> {
    let conn = conn.clone();
    tokio::spawn(async move { conn.set_topics(topics.iter().copied()).await })
}

#[tokio::test]
async fn a_removed_subscriber_is_not_put_back_by_a_change_in_flight() {
    let gate = Gate::default();
    let mut place = Place::new(gate.hub());
    let (_client, conn) = place.connect("ann").await;
    gate.answer("room:1");
    conn.subscribe("room:1").await.unwrap();
    gate.close("room:1");
    let reauthorizing = tokio::spawn({
        let hub = place.hub.clone();
        async move { hub.topic("room:1").reauthorize().await }
    });
    gate.until_asked("room:1", 2).await;
    // It is in the first at this moment, and so asked about the second only.
    let changing = set_topics(&conn, &["room:1", "room:2"]);
    gate.until_asked("room:2", 1).await;
    gate.answer("room:1");
    assert_eq!((*reauthorizing.await.unwrap(), conn.topics()), (1, vec![]));
    gate.answer("room:2");
    // To join it anew it has to be asked about.
    gate.answer("room:1");
    let refused = changing.await.unwrap().unwrap_err();
    assert_eq!((refused.kind(), conn.topics()), (TopicErrorKind::Refused, vec![]));
    assert_eq!((gate.asked("room:1"), gate.asked("room:2")), (3, 1));
}

#[tokio::test]
async fn a_subscriber_removed_by_id_is_authorized_again_before_it_returns() {
    let gate = Gate::default();
    let mut place = Place::new(gate.hub());
    let (_client, conn) = place.connect("ann").await;
    gate.answer("room:1");
    conn.subscribe("room:1").await.unwrap();
    let changing = set_topics(&conn, &["room:1", "room:2"]);
    gate.until_asked("room:2", 1).await;
    assert!(place.hub.topic("room:1").remove(conn.id()).await);
    gate.answer("room:2");
    gate.answer("room:1");
    let change = changing.await.unwrap().unwrap();
    assert_eq!((change.joined, conn.topics()), (conn.topics(), vec!["room:1".into(), "room:2".into()]));
    // What had been answered before is not asked again.
    assert_eq!((gate.asked("room:1"), gate.asked("room:2")), (2, 1));
}

#[tokio::test]
async fn removals_of_others_cause_no_new_authorization() {
    let gate = Gate::default();
    let mut place = Place::new(gate.hub());
    let (_client, ann) = place.connect("ann").await;
    let (_other, bob) = place.connect("bob").await;
    bob.subscribe_many(["lobby", "news"]).await.unwrap();
    let changing = set_topics(&ann, &["room:1"]);
    gate.until_asked("room:1", 1).await;
    // Another connection, another topic, one without rules, and one that is not there.
    assert!(!place.hub.topic("room:1").remove(bob.id()).await);
    assert!(place.hub.topic("lobby").remove(bob.id()).await);
    assert!(!place.hub.topic("room:2").remove(ann.id()).await);
    assert!(!place.hub.topic("news").remove(ann.id()).await);
    for topic in ["room:2", "lobby", "no good"] {
        assert_eq!(place.hub.topic(topic).reauthorize().await, 0);
    }
    gate.answer("room:1");
    assert_eq!(changing.await.unwrap().unwrap().joined, ["room:1"]);
    assert_eq!(gate.asked("room:1"), 1);
}

#[tokio::test]
async fn many_who_leave_for_other_reasons_keep_nobody_out() {
    let (asked, is_asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let rooms = TopicOptions::new().authorize_subscribe({
        let (asked, is_asked) = (Arc::clone(&asked), Arc::clone(&is_asked));
        async move |_, _| {
            asked.fetch_add(1, SeqCst);
            is_asked.store(true, SeqCst);
            // Somebody is kicked while each question is open.
            while is_asked.load(SeqCst) {
                tokio::task::yield_now().await;
            }
            Ok::<_, WsError>(())
        }
    });
    let mut place = Place::new(Hub::builder().topic("room:*", rooms).build());
    let (_client, ann) = place.connect("ann").await;
    let (_other, bob) = place.connect("bob").await;
    let changing = set_topics(&ann, &["room:1"]);
    while !changing.is_finished() {
        if is_asked.load(SeqCst) {
            place.hub.topic("room:1").remove(bob.id()).await;
            is_asked.store(false, SeqCst);
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(changing.await.unwrap().unwrap().joined, ["room:1"]);
    assert_eq!(asked.load(SeqCst), 1);
}

/// 300 members, more than are asked about at once; an answer takes 50 ms, and one never comes.
#[tokio::test]
async fn a_revoked_subscriber_is_removed_within_a_second_with_a_slow_rule() {
    let closed = Arc::new(AtomicBool::new(false));
    let options = TopicOptions::new().authorize_subscribe({
        let closed = Arc::clone(&closed);
        async move |member, _| {
            if !closed.load(SeqCst) {
                return Ok(());
            }
            let role = member.data::<User>().map(|user| user.role.clone()).unwrap_or_default();
            if role == "hangs" {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            if role == "admin" { Ok(()) } else { Err(WsError::permission_denied("closed")) }
        }
    });
    let mut place = Place::new(Hub::builder().topic("room:*", options).build());
    let mut members = Vec::new();
    for n in 0..300 {
        // The one without an answer is among the first.
        let role = if n == 1 {
            "hangs"
        } else if n % 10 == 0 {
            "admin"
        } else {
            ""
        };
        let (client, conn) = place.connect_as(&n.to_string(), role, &[]).await;
        conn.subscribe("room:1").await.unwrap();
        members.push((client, conn));
    }
    closed.store(true, SeqCst);
    let start = Instant::now();
    let hub = place.hub.clone();
    let reauthorizing = tokio::spawn(async move { hub.topic("room:1").reauthorize().await });
    // All that are answered for go ahead of the one that hangs: 30 stay, and that one.
    while place.hub.topic("room:1").local_subscriber_count() > 31 {
        assert!(start.elapsed() < Duration::from_millis(850), "{}", place.hub.topic("room:1").local_subscriber_count());
        tokio::task::yield_now().await;
    }
    assert!(members[1].1.is_subscribed("room:1"));
    assert_eq!(reauthorizing.await.unwrap(), 270);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(place.hub.topic("room:1").local_subscriber_count(), 30);
    assert!(members.iter().all(|(_, conn)| conn.is_subscribed("room:1") == (conn.data().role == "admin")));
}

#[tokio::test]
async fn an_answer_about_one_subscription_does_not_end_a_later_one() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // The second question, which is the one about members, gets no answer in time.
    let rooms = TopicOptions::new().authorize_subscribe(async move |_, _: Arc<str>| {
        if count.fetch_add(1, SeqCst) == 1 {
            std::future::pending::<()>().await;
        }
        Ok::<_, WsError>(())
    });
    let mut place = Place::new(Hub::builder().topic("room:*", rooms).build());
    let (_client, conn) = place.connect("ann").await;
    conn.subscribe("room:1").await.unwrap();
    let hub = place.hub.clone();
    let again = tokio::spawn(async move { hub.topic("room:1").reauthorize().await });
    while asked.load(SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    assert!(conn.unsubscribe("room:1").await.unwrap());
    assert!(conn.subscribe("room:1").await.unwrap());
    assert_eq!(again.await.unwrap(), 0);
    assert!(conn.is_subscribed("room:1"));
}
