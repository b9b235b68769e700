use super::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn room() -> TopicName {
    TopicName::new("room").unwrap()
}

struct Fixture {
    publishing: Publishing,
    outputs: Outputs,
}

impl Fixture {
    fn new(config: &ClusterConfig) -> Self {
        Self { publishing: Publishing::new(config, Seeded::default()), outputs: Outputs::default() }
    }

    fn begin(&mut self, at: Duration) -> (u64, Option<Predecessor>) {
        self.publishing.begin(&room(), 10, Confirms::Acceptance, at).unwrap()
    }

    fn answer(&mut self, sequence: u64, result: Result<(), BrokerErrorKind>) {
        self.publishing.answered(sequence, result, ms(500), &mut self.outputs);
    }

    fn ended(&mut self) -> Vec<(u64, Result<(), ClusterError>)> {
        let outputs = self.outputs.take();
        let ended = outputs.into_iter().map(|output| match output {
            Output::Published { publish, result } => (publish.0, result),
            other => panic!("{other:?}"),
        });
        ended.collect()
    }

    fn listed(&mut self) -> Vec<u64> {
        let (topics, publishes) = self.publishing.take_listed(ms(1000));
        self.publishing.listed(topics, true);
        publishes.into_iter().map(|listed| listed.sequence).collect()
    }
}

#[test]
fn a_message_names_its_predecessor_and_its_age() {
    let mut fixture = Fixture::new(&ClusterConfig::new());
    assert_eq!(fixture.begin(ms(0)), (1, None));
    let other = fixture.publishing.begin(&TopicName::new("other").unwrap(), 1, Confirms::Acceptance, ms(1)).unwrap();
    assert_eq!(other, (2, None), "sequences are those of the node");
    assert_eq!(fixture.begin(ms(7)), (3, Some(Predecessor { sequence: 1, age_ms: 7 })));
}

#[test]
fn a_refused_message_is_nobodys_predecessor() {
    let mut fixture = Fixture::new(&ClusterConfig::new());
    fixture.begin(ms(0));
    fixture.answer(1, Ok(()));
    fixture.begin(ms(1));
    fixture.answer(2, Err(BrokerErrorKind::Unavailable));
    assert_eq!(fixture.begin(ms(5)), (3, Some(Predecessor { sequence: 1, age_ms: 5 })));
    fixture.answer(3, Err(BrokerErrorKind::Unknown));
    assert_eq!(fixture.begin(ms(6)).1.unwrap().sequence, 3, "it may have arrived");
    let results: Vec<_> = fixture.ended().into_iter().map(|(_, result)| result.is_ok()).collect();
    assert_eq!(results, [true, false, false]);
}

#[test]
fn accepted_messages_are_listed_in_two_heartbeats() {
    let mut fixture = Fixture::new(&ClusterConfig::new());
    fixture.begin(ms(0));
    assert!(fixture.listed().is_empty(), "the broker has not answered");
    fixture.answer(1, Ok(()));
    assert_eq!((fixture.listed(), fixture.listed(), fixture.listed()), (vec![1], vec![1], vec![]));
}

#[test]
fn a_heartbeat_that_was_refused_does_not_count() {
    let mut fixture = Fixture::new(&ClusterConfig::new());
    fixture.begin(ms(0));
    fixture.answer(1, Ok(()));
    let (topics, _) = fixture.publishing.take_listed(ms(1000));
    fixture.begin(ms(1000));
    fixture.answer(2, Ok(()));
    fixture.publishing.listed(topics, false);
    assert_eq!((fixture.listed(), fixture.listed()), (vec![2], vec![2]));
}

#[test]
fn a_heartbeat_lists_a_limited_number_and_the_rest_follows() {
    let mut fixture = Fixture::new(&ClusterConfig::new().max_listed_topics(2));
    for n in 1..=3 {
        fixture
            .publishing
            .begin(&TopicName::new(format!("room:{n}")).unwrap(), 1, Confirms::Acceptance, ms(0))
            .unwrap();
        fixture.answer(n, Ok(()));
    }
    assert_eq!((fixture.listed(), fixture.listed(), fixture.listed()), (vec![1, 2], vec![3, 1], vec![2, 3]));
}

#[test]
fn a_publish_with_local_subscribers_waits_until_it_has_come_back() {
    let mut fixture = Fixture::new(&ClusterConfig::new());
    for sequence in 1..=3 {
        fixture.publishing.begin(&room(), 10, Confirms::Delivery, ms(0)).unwrap();
        if sequence == 1 {
            fixture.publishing.echoed(1, &mut fixture.outputs);
        }
        fixture.answer(sequence, Ok(()));
    }
    assert_eq!(fixture.ended(), [(1, Ok(()))], "it came back before the answer");
    fixture.publishing.echoed(2, &mut fixture.outputs);
    assert_eq!(fixture.ended(), [(2, Ok(()))]);
    fixture.publishing.tick(ms(2499), &mut fixture.outputs);
    assert_eq!(fixture.ended(), []);
    fixture.publishing.tick(ms(2500), &mut fixture.outputs);
    assert_eq!(fixture.ended(), [(3, Ok(()))], "the wait is bounded");
}

#[test]
fn pending_publishes_are_limited_in_number_and_bytes() {
    let mut fixture = Fixture::new(&ClusterConfig::new().max_pending_publishes(2).max_pending_bytes(25));
    fixture.begin(ms(0));
    let error = fixture.publishing.begin(&room(), 16, Confirms::Acceptance, ms(0)).unwrap_err();
    assert_eq!(error, ClusterError::TooManyBytes { limit: 25 });
    fixture.begin(ms(0));
    let error = fixture.publishing.begin(&room(), 1, Confirms::Acceptance, ms(0)).unwrap_err();
    assert_eq!(error, ClusterError::TooManyPublishes { limit: 2 });
    fixture.answer(1, Ok(()));
    fixture.begin(ms(0));
}

#[test]
fn remembered_topics_are_limited() {
    let mut fixture = Fixture::new(&ClusterConfig::new().max_published_topics(10));
    for n in 1..=1000 {
        fixture
            .publishing
            .begin(&TopicName::new(format!("room:{n}")).unwrap(), 1, Confirms::Acceptance, ms(0))
            .unwrap();
        fixture.answer(n, Ok(()));
        fixture.listed();
        fixture.listed();
        assert!(fixture.publishing.topics.len() <= 10);
    }
    assert_eq!(fixture.begin(ms(0)).1, None);
}

#[test]
fn an_unconfirmed_publish_reports_only_its_failure() {
    let mut fixture = Fixture::new(&ClusterConfig::new().max_pending_publishes(2));
    for _ in 0..2 {
        fixture.publishing.begin(&room(), 10, Confirms::Failure, ms(0)).unwrap();
    }
    assert!(fixture.publishing.is_backlogged());
    fixture.answer(1, Ok(()));
    assert_eq!((fixture.ended(), fixture.publishing.is_backlogged()), (vec![], false));
    fixture.answer(2, Err(BrokerErrorKind::Overloaded));
    assert_eq!(fixture.ended(), [(2, Err(ClusterError::Broker(BrokerErrorKind::Overloaded)))]);
    assert_eq!(fixture.publishing.failed(), 1);
}
