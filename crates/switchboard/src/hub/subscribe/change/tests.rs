use std::{collections::BTreeSet, future::poll_fn, sync::Arc, task::Poll};

use parking_lot::Mutex;
use proptest::{collection::vec, prelude::*};
use switchboard_core::WsError;

use crate::{
    Config, Conn, Hub, TopicError, TopicErrorKind, TopicOptions,
    conn::AnyConn,
    hub::{
        Operation,
        testing::{conn, member},
    },
};

const TOPICS: [&str; 9] = ["p0", "p1", "p2", "p3", "p4", "r0", "r1", "r2", "r-full"];

const MAX_SUBSCRIPTIONS: usize = 5;
const MAX_OF_PATTERN: usize = 2;
const FULL: &str = "r-full";

#[derive(Debug, Clone)]
enum Op {
    Subscribe(usize),
    Unsubscribe(usize),
    SubscribeMany(Vec<usize>),
    UnsubscribeMany(Vec<usize>),
    Set(Vec<usize>),
    Clear,
    /// Removed by the application.
    Remove(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let topic = || 0..TOPICS.len();
    let topics = || vec(topic(), 0..8);
    prop_oneof![
        3 => topic().prop_map(Op::Subscribe),
        2 => topic().prop_map(Op::Unsubscribe),
        3 => topics().prop_map(Op::SubscribeMany),
        2 => topics().prop_map(Op::UnsubscribeMany),
        3 => topics().prop_map(Op::Set),
        1 => Just(Op::Clear),
        1 => topic().prop_map(Op::Remove),
    ]
}

fn names(topics: &[usize]) -> Vec<&'static str> {
    topics.iter().map(|topic| TOPICS[*topic]).collect()
}

/// Topics that the rule refuses at the moment.
type Refused = Arc<Mutex<BTreeSet<&'static str>>>;

fn hub(refused: &Refused) -> Hub {
    let refused = Arc::clone(refused);
    let options = TopicOptions::new().max_per_connection(MAX_OF_PATTERN).max_members(1).authorize_subscribe(
        async move |_, topic: Arc<str>| {
            tokio::task::yield_now().await;
            if refused.lock().contains(&*topic) { Err(WsError::permission_denied("no")) } else { Ok(()) }
        },
    );
    Hub::builder().topic("r*", options).build()
}

/// The model: a plain list of topics, and the rules.
#[derive(Default)]
struct Model(Vec<&'static str>);

impl Model {
    /// Returns the topics joined and left, or the error.
    fn change(
        &mut self,
        wanted: &[&'static str],
        exactly: bool,
        refused: &BTreeSet<&'static str>,
    ) -> Result<(Vec<&'static str>, Vec<&'static str>), &'static str> {
        let mut distinct = Vec::new();
        for topic in wanted {
            if !distinct.contains(topic) {
                distinct.push(*topic);
            }
        }
        let joined: Vec<_> = distinct.iter().copied().filter(|topic| !self.0.contains(topic)).collect();
        let (stays, left): (Vec<_>, Vec<_>) =
            self.0.iter().copied().partition(|topic| !exactly || distinct.contains(topic));
        let of_pattern = |topics: &[&str]| topics.iter().filter(|topic| topic.starts_with('r')).count();
        if distinct.len() > MAX_SUBSCRIPTIONS {
            return Err("limit");
        }
        if joined.iter().any(|topic| topic.starts_with('r') && refused.contains(topic)) {
            return Err("refused");
        }
        if !joined.is_empty() && stays.len() + joined.len() > MAX_SUBSCRIPTIONS {
            return Err("limit");
        }
        if of_pattern(&joined) > 0 && of_pattern(&stays) + of_pattern(&joined) > MAX_OF_PATTERN {
            return Err("pattern");
        }
        if joined.contains(&FULL) {
            return Err("members");
        }
        self.0 = stays;
        self.0.extend(&joined);
        Ok((joined, left))
    }

    fn leave(&mut self, topics: &[&'static str]) -> Vec<&'static str> {
        let mut left = Vec::new();
        for topic in topics {
            if self.0.contains(topic) {
                self.0.retain(|other| other != topic);
                left.push(*topic);
            }
        }
        left
    }
}

fn kind(error: &TopicError) -> &'static str {
    match error.kind() {
        TopicErrorKind::Limit { .. } => "limit",
        TopicErrorKind::PatternLimit { .. } => "pattern",
        TopicErrorKind::MembersLimit { .. } => "members",
        TopicErrorKind::Refused => "refused",
        _ => "another",
    }
}

type Changed = Result<(Vec<String>, Vec<String>), &'static str>;

async fn run(hub: &Hub, conn: &Conn, inner: &AnyConn, op: &Op) -> Changed {
    let one = |changed: bool, topic: usize| if changed { vec![TOPICS[topic].to_owned()] } else { vec![] };
    let result = match op {
        Op::Subscribe(topic) => conn.subscribe(TOPICS[*topic]).await.map(|new| (one(new, *topic), vec![])),
        Op::Unsubscribe(topic) => conn.unsubscribe(TOPICS[*topic]).await.map(|was| (vec![], one(was, *topic))),
        Op::Remove(topic) => {
            // The registry does not know connections without a socket.
            let was = hub.remove(inner, TOPICS[*topic]);
            Ok((vec![], one(was, *topic)))
        }
        Op::SubscribeMany(topics) => conn.subscribe_many(names(topics)).await.map(|c| (c.joined, c.left)),
        Op::UnsubscribeMany(topics) => conn.unsubscribe_many(names(topics)).await.map(|c| (c.joined, c.left)),
        Op::Set(topics) => conn.set_topics(names(topics)).await.map(|c| (c.joined, c.left)),
        Op::Clear => conn.clear_topics().await.map(|c| (c.joined, c.left)),
    };
    result.map_err(|error| kind(&error))
}

fn expected(model: &mut Model, op: &Op, refused: &BTreeSet<&'static str>) -> Changed {
    let changed = match op {
        Op::Subscribe(topic) => model.change(&names(&[*topic]), false, refused),
        Op::SubscribeMany(topics) => model.change(&names(topics), false, refused),
        Op::Set(topics) => model.change(&names(topics), true, refused),
        Op::Clear => model.change(&[], true, refused),
        Op::Unsubscribe(topic) | Op::Remove(topic) => Ok((vec![], model.leave(&names(&[*topic])))),
        Op::UnsubscribeMany(topics) => Ok((vec![], model.leave(&names(topics)))),
    };
    let owned = |topics: Vec<&str>| topics.into_iter().map(str::to_owned).collect();
    changed.map(|(joined, left)| (owned(joined), owned(left)))
}

fn on_runtime(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test);
}

/// Checks the hub's figures against the connection's topics and the subscriber of the full topic.
fn check_hub(hub: &Hub, topics: &[String]) {
    for topic in TOPICS {
        let has = usize::from(topics.iter().any(|other| other == topic)) + usize::from(topic == FULL);
        assert_eq!(hub.topic(topic).local_subscriber_count(), has, "{topic}");
    }
    assert_eq!(hub.stats().subscriptions, topics.len() + 1);
    assert_eq!(hub.stats().topics, topics.len() + 1);
}

/// Subscribes another connection to the topic with one subscriber at most.
async fn fill(hub: &Hub) {
    let member = member(hub);
    let request = hub.subscription_request(&member, [FULL], Operation::Join).unwrap();
    hub.change(&member, &request, None).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn changes_of_subscriptions_agree_with_a_plain_set(
        ops in vec((op(), proptest::collection::btree_set(0..TOPICS.len(), 0..4)), 1..30),
    ) {
        on_runtime(async {
            let refused = Refused::default();
            let hub = hub(&refused);
            fill(&hub).await;
            let (conn, inner) = conn(&hub, Config::new().max_subscriptions(MAX_SUBSCRIPTIONS));
            let mut model = Model::default();
            for (op, refuse) in ops {
                *refused.lock() = refuse.iter().map(|topic| TOPICS[*topic]).collect();
                let expected = expected(&mut model, &op, &refused.lock().clone());
                assert_eq!(run(&hub, &conn, &inner, &op).await, expected, "{op:?}");
                assert_eq!(conn.topics(), model.0);
                check_hub(&hub, &conn.topics());
            }
            hub.leave_all(&*inner);
            check_hub(&hub, &[]);
        });
    }

    /// Whichever change wins, the connection and the hub agree, and no change is stuck.
    #[test]
    fn concurrent_changes_leave_nothing_behind(
        ops in vec((op(), any::<bool>()), 1..20),
    ) {
        on_runtime(async {
            let refused = Refused::default();
            refused.lock().insert("r1");
            let hub = hub(&refused);
            fill(&hub).await;
            let (conn, inner) = conn(&hub, Config::new().max_subscriptions(MAX_SUBSCRIPTIONS));
            let all = ops.iter().map(|(op, is_dropped)| {
                let (hub, conn, inner) = (&hub, &conn, &inner);
                async move {
                    let mut run = std::pin::pin!(run(hub, conn, inner, op));
                    if *is_dropped {
                        // Polled once and dropped.
                        poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx).is_ready())).await;
                    } else {
                        _ = run.await;
                    }
                }
            });
            futures_util::future::join_all(all).await;
            check_hub(&hub, &conn.topics());
            conn.clear_topics().await.unwrap();
            check_hub(&hub, &[]);
            hub.leave_all(&*inner);
            assert!(conn.subscribe("p0").await.is_err());
        });
    }
}
