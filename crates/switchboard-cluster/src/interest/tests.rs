use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{BrokerCall, operations::Purpose};

const MS: Duration = Duration::from_millis(1);

struct Fixture {
    interest: Interest,
    operations: Operations,
    now: Duration,
}

impl Fixture {
    fn new(config: &ClusterConfig) -> Self {
        Self {
            interest: Interest::new(config, Seeded::default()),
            operations: Operations::new(config.operation_timeout),
            now: MS,
        }
    }

    fn join(&mut self, channel: &Channel) -> Result<Join, ClusterError> {
        self.interest.join(channel, &mut self.operations, self.now)
    }

    fn leave(&mut self, channel: &Channel) {
        self.interest.leave(channel, self.now);
    }

    fn tick(&mut self, after: Duration) -> Vec<Channel> {
        self.now += after;
        self.interest.tick(&mut self.operations, self.now)
    }

    /// Takes the calls that were made.
    fn calls(&mut self) -> Vec<(OperationId, BrokerCall)> {
        let mut calls = Vec::new();
        for output in self.operations.outputs.take() {
            match output {
                Output::Call { operation, call } => calls.push((operation, call)),
                other => self.operations.outputs.push_back(other),
            }
        }
        calls
    }

    fn answer(&mut self, operation: OperationId, result: Result<(), BrokerErrorKind>) {
        match self.operations.complete(operation) {
            Some(Purpose::Subscribe(channel)) => {
                self.interest.subscribed(&channel, operation, result, &mut self.operations, self.now);
            }
            Some(Purpose::Unsubscribe(channel)) => self.interest.unsubscribed(&channel, operation),
            other => panic!("{other:?}"),
        }
    }

    fn answer_all(&mut self) {
        for (operation, _) in self.calls() {
            self.answer(operation, Ok(()));
        }
    }

    fn joined(&mut self) -> Vec<(JoinId, Result<(), ClusterError>)> {
        let outputs = self.operations.outputs.take();
        let joined = outputs.into_iter().map(|output| match output {
            Output::Joined { join, result } => (join, result),
            other => panic!("{other:?}"),
        });
        joined.collect()
    }
}

fn topic(name: &str) -> Channel {
    Channel::topic(name).unwrap()
}

fn waiting(join: Result<Join, ClusterError>) -> JoinId {
    match join {
        Ok(Join::Waiting(join)) => join,
        other => panic!("{other:?}"),
    }
}

#[test]
fn concurrent_joins_share_one_subscription() {
    let (mut fixture, room) = (Fixture::new(&ClusterConfig::new()), topic("room"));
    let first = waiting(fixture.join(&room));
    let second = waiting(fixture.join(&room));
    let calls = fixture.calls();
    assert_eq!(calls.len(), 1);
    fixture.answer(calls[0].0, Ok(()));
    assert_eq!(fixture.joined(), [(first, Ok(())), (second, Ok(()))]);
    assert_eq!(fixture.join(&room), Ok(Join::Ready));
}

#[test]
fn a_failed_subscription_is_told_to_all_and_leaves_nothing() {
    let (mut fixture, room) = (Fixture::new(&ClusterConfig::new()), topic("room"));
    let joins = [waiting(fixture.join(&room)), waiting(fixture.join(&room))];
    let call = fixture.calls()[0].0;
    fixture.answer(call, Err(BrokerErrorKind::Unavailable));
    let error = Err(ClusterError::Broker(BrokerErrorKind::Unavailable));
    assert_eq!(fixture.joined(), joins.map(|join| (join, error)));
    assert_eq!(fixture.interest.len(), 0);
}

#[test]
fn an_unknown_subscription_is_ended_to_be_sure() {
    let (mut fixture, room) = (Fixture::new(&ClusterConfig::new()), topic("room"));
    waiting(fixture.join(&room));
    let call = fixture.calls()[0].0;
    fixture.answer(call, Err(BrokerErrorKind::Unknown));
    assert_eq!(fixture.calls()[0].1, BrokerCall::Unsubscribe(room));
}

#[test]
fn a_channel_lingers_for_five_seconds_before_it_is_left() {
    let (mut fixture, room) = (Fixture::new(&ClusterConfig::new()), topic("room"));
    waiting(fixture.join(&room));
    fixture.answer_all();
    fixture.leave(&room);
    assert_eq!(fixture.tick(4999 * MS), []);
    assert!(fixture.interest.is_joined(&room) && !fixture.interest.is_held(&room));
    assert_eq!(fixture.join(&room), Ok(Join::Ready), "it is still subscribed");
    assert_eq!(fixture.tick(9000 * MS), [], "the old deadline does not count");
    fixture.leave(&room);
    assert_eq!(fixture.tick(5000 * MS), [room]);
}

#[test]
fn a_join_while_leaving_subscribes_anew() {
    let (mut fixture, room) = (Fixture::new(&ClusterConfig::new()), topic("room"));
    waiting(fixture.join(&room));
    fixture.answer_all();
    fixture.leave(&room);
    fixture.tick(5000 * MS);
    fixture.joined_and_calls();
    let join = waiting(fixture.join(&room));
    let subscribed = fixture.calls();
    assert_eq!(subscribed[0].1, BrokerCall::Subscribe(room.clone()));
    fixture.interest.unsubscribed(&room, OperationId(2));
    fixture.answer(subscribed[0].0, Ok(()));
    assert_eq!(fixture.joined(), [(join, Ok(()))]);
    assert!(fixture.interest.is_held(&room));
}

impl Fixture {
    fn joined_and_calls(&mut self) {
        self.operations.outputs.take();
    }
}

#[test]
fn a_cancelled_join_releases_its_hold() {
    let (mut fixture, room) = (Fixture::new(&ClusterConfig::new()), topic("room"));
    let join = waiting(fixture.join(&room));
    fixture.interest.cancel(&room, join, fixture.now);
    fixture.interest.cancel(&room, join, fixture.now);
    fixture.answer_all();
    assert_eq!(fixture.joined(), []);
    assert_eq!(fixture.tick(5000 * MS), [room], "it lingers and is left");
}

#[test]
fn a_permanent_hold_is_tried_until_it_succeeds() {
    let mut fixture = Fixture::new(&ClusterConfig::new());
    fixture.interest.hold(&Channel::AllNodes, &mut fixture.operations, fixture.now).unwrap();
    let call = fixture.calls()[0].0;
    fixture.answer(call, Err(BrokerErrorKind::Unavailable));
    fixture.tick(999 * MS);
    assert_eq!(fixture.calls(), []);
    fixture.tick(MS);
    fixture.answer_all();
    assert!(fixture.interest.is_held(&Channel::AllNodes));
}

#[test]
fn channels_and_waiting_joins_are_limited() {
    let mut fixture = Fixture::new(&ClusterConfig::new().max_channels(1));
    waiting(fixture.join(&topic("a")));
    assert_eq!(fixture.join(&topic("b")), Err(ClusterError::TooManyChannels { limit: 1 }));
    let mut fixture = Fixture::new(&ClusterConfig::new().max_waiting_joins(1));
    waiting(fixture.join(&topic("a")));
    assert_eq!(fixture.join(&topic("a")), Err(ClusterError::TooManyJoins { limit: 1 }));
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Join,
    Leave,
    Cancel,
    /// The broker answers the oldest call.
    Answer(bool),
    Tick(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Join),
        Just(Step::Leave),
        Just(Step::Cancel),
        any::<bool>().prop_map(Step::Answer),
        (0_u64..6000).prop_map(Step::Tick),
    ]
}

proptest! {
    /// Whatever the order of joins, leaves and answers: at the end those who have joined are subscribed at the broker, and
    /// no others are.
    #[test]
    fn no_join_is_lost(steps in vec(step(), 0..60)) {
        let (mut fixture, room) = (Fixture::new(&ClusterConfig::new()), topic("room"));
        let mut unanswered = std::collections::VecDeque::new();
        let mut is_subscribed = false;
        let (mut waits, mut holds) = (Vec::new(), 0_u32);
        for step in steps.into_iter().chain([Step::Answer(true); 70]).chain([Step::Tick(20_000), Step::Answer(true), Step::Answer(true)]) {
            match step {
                Step::Join => match fixture.join(&room).unwrap() {
                    Join::Ready => {
                        prop_assert!(is_subscribed, "it is subscribed when it is said to be");
                        holds += 1;
                    }
                    Join::Waiting(join) => waits.push(join),
                },
                Step::Leave if holds > 0 => {
                    holds -= 1;
                    fixture.leave(&room);
                }
                Step::Cancel => if let Some(join) = waits.pop() {
                    fixture.interest.cancel(&room, join, fixture.now);
                },
                Step::Answer(is_ok) => if let Some((operation, call)) = unanswered.pop_front() {
                    // An end always takes place; a beginning may fail.
                    let is_subscribe = matches!(call, BrokerCall::Subscribe(_));
                    let result = if is_ok || !is_subscribe { Ok(()) } else { Err(BrokerErrorKind::Overloaded) };
                    if result.is_ok() {
                        is_subscribed = is_subscribe;
                    }
                    fixture.answer(operation, result);
                },
                Step::Tick(after) => _ = fixture.tick(Duration::from_millis(after)),
                Step::Leave => {}
            }
            unanswered.extend(fixture.calls());
            for (join, result) in fixture.joined() {
                let at = waits.iter().position(|waiting| *waiting == join);
                prop_assert!(at.is_some(), "a join is answered once, unless it was cancelled");
                at.map(|at| waits.swap_remove(at));
                holds += u32::from(result.is_ok());
            }
        }
        prop_assert_eq!(&waits, &Vec::new(), "each join is answered");
        prop_assert_eq!(is_subscribed, holds > 0);
        prop_assert_eq!(fixture.interest.is_held(&room), holds > 0);
    }
}
