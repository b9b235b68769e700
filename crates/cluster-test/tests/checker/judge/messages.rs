//! Messages of topics.

use super::*;

/// Both members get a message.
fn arrives(story: &mut Story, at: u64, message: Message) {
    story.published(at, message).got(at + 20, A, message).got(at + 20, B, message);
}

#[test]
fn what_is_kept_is_not_reported() {
    let mut story = Story::new();
    for n in 0..5 {
        arrives(&mut story, 1000 + u64::from(n) * 100, message(PUBLISHER, n));
        arrives(&mut story, 1050 + u64::from(n) * 100, message(OTHER, n));
    }
    let verdict = story.judge();
    assert_eq!(verdict.findings, []);
    assert_eq!((verdict.figures.accepted, verdict.figures.delivered, verdict.figures.lost), (10, 20, 0));
}

#[test]
fn a_message_that_arrives_twice_is_found() {
    let mut story = Story::new();
    arrives(&mut story, 1000, message(PUBLISHER, 0));
    story.got(1030, A, message(PUBLISHER, 0));
    assert_eq!(story.rules(), [Rule::Duplicate]);
    // Also when others came between.
    let mut story = Story::new();
    arrives(&mut story, 1000, message(PUBLISHER, 0));
    arrives(&mut story, 1100, message(PUBLISHER, 1));
    story.got(1130, A, message(PUBLISHER, 0));
    assert_eq!(story.rules(), [Rule::Duplicate]);
}

#[test]
fn a_message_that_overtakes_another_of_its_publisher_is_found() {
    let mut story = Story::new();
    story.0.one_order = false;
    let [first, second] = [0, 1].map(|n| message(PUBLISHER, n));
    story.published(1000, first).published(1001, second);
    story.got(1020, A, second).got(1021, A, first).got(1020, B, first).got(1021, B, second);
    assert_eq!(story.rules(), [Rule::Order]);
}

#[test]
fn members_that_see_different_orders_are_found_where_there_is_one() {
    let mut story = Story::new();
    let (first, second) = (message(PUBLISHER, 0), message(OTHER, 0));
    story.published(1000, first).published(1000, second);
    story.got(1020, A, first).got(1021, A, second).got(1020, B, second).got(1021, B, first);
    assert_eq!(story.rules(), [Rule::OneOrder]);
    story.0.one_order = false;
    assert_eq!(story.rules(), []);
}

#[test]
fn an_order_that_is_broken_by_several_members_together_is_found() {
    let mut story = Story::new();
    let third = Client(102);
    let member = Client(3);
    story.add(0, third, What::Connected { node: 0 }).add(0, member, What::Connected { node: 0 });
    let [a, b, c] = [PUBLISHER, OTHER, third].map(|publisher| message(publisher, 0));
    for sent in [a, b, c] {
        story.published(1000, sent);
    }
    // Each pair has an order, and each member has lost one, which it is told.
    story.got(1020, A, a).got(1021, A, b).gap(1022, A);
    story.got(1020, B, b).got(1021, B, c).gap(1022, B);
    story.add(1, member, What::Joining(TOPIC)).got(1020, member, c).got(1021, member, a);
    let verdict = story.judge();
    assert_eq!(verdict.findings.len(), 1, "{:?}", verdict.findings);
    assert_eq!(verdict.findings[0].rule, Rule::OneOrder);
    assert_eq!(verdict.findings[0].text.matches(" before ").count(), 3, "{}", verdict.findings[0]);
}

#[test]
fn a_loss_that_nobody_tells_is_found() {
    let mut story = Story::new();
    let lost = message(PUBLISHER, 0);
    story.published(1000, lost).got(1020, A, lost);
    assert_eq!(story.rules(), [Rule::Loss]);
}

#[test]
fn a_loss_that_is_told_in_time_is_allowed_and_measured() {
    let mut story = Story::new();
    let lost = message(PUBLISHER, 0);
    story.published(1000, lost).got(1020, A, lost).gap(2800, B);
    let verdict = story.judge();
    assert_eq!(verdict.findings, []);
    assert_eq!((verdict.figures.lost, verdict.figures.told_after.share(1.0)), (1, ms(1790)));
}

#[test]
fn a_loss_that_is_told_late_is_found() {
    let mut story = Story::new();
    let lost = message(PUBLISHER, 0);
    story.published(1000, lost).got(1020, A, lost).gap(3600, B);
    assert_eq!(story.rules(), [Rule::Loss]);
}

#[test]
fn a_gap_does_not_excuse_what_is_lost_afterwards() {
    let mut story = Story::new();
    let lost = message(PUBLISHER, 0);
    story.gap(990, B).published(1000, lost).got(1020, A, lost);
    assert_eq!(story.rules(), [Rule::Loss]);
    // Nor one that was told before an earlier message of the publisher arrived.
    let mut story = Story::new();
    let [first, lost] = [0, 1].map(|n| message(PUBLISHER, n));
    story.published(1000, first).published(1001, lost).got(1020, A, first).got(1021, A, lost);
    story.gap(1020, B).got(1021, B, first);
    assert_eq!(story.rules(), [Rule::Loss]);
}

#[test]
fn after_a_fault_there_is_time_to_tell() {
    let mut story = Story::new();
    let lost = message(PUBLISHER, 0);
    story.disturbed(Scope::Node(1), 500, 8000).published(1000, lost).got(1020, A, lost).gap(15_000, B);
    assert_eq!(story.rules(), [Rule::Resumption]);
    story.published(9000, message(OTHER, 0)).got(9001, A, message(OTHER, 0)).got(15_001, B, message(OTHER, 0));
    assert_eq!(story.rules(), []);
    // But not for ever.
    story.0.events.retain(|event| event.what != What::Gap(TOPIC));
    assert_eq!(story.rules(), [Rule::Loss]);
    story.gap(21_000, B);
    assert_eq!(story.rules(), [Rule::Loss]);
}

#[test]
fn a_fault_of_another_node_is_no_excuse() {
    let mut story = Story::new();
    story.0.nodes = 3;
    let lost = message(PUBLISHER, 0);
    story.disturbed(Scope::Node(2), 500, 50_000).published(1000, lost).got(1020, A, lost).gap(10_000, B);
    assert_eq!(story.rules(), [Rule::Loss]);
}

#[test]
fn who_is_not_subscribed_all_the_time_need_not_get_it() {
    let lost = message(PUBLISHER, 0);
    let mut story = Story::new();
    story.published(1000, lost).got(1020, A, lost).add(1100, B, What::Disconnected);
    assert_eq!(story.rules(), []);
    let mut story = Story::new();
    story.add(900, B, What::Disconnected).add(950, B, What::Connected { node: 1 });
    story.add(951, B, What::Joining(TOPIC)).published(1000, lost).got(1020, A, lost).add(1030, B, What::Joined(TOPIC));
    assert_eq!(story.rules(), []);
}

#[test]
fn an_accepted_message_that_nobody_gets_is_found() {
    let mut story = Story::new();
    story.published(1000, message(PUBLISHER, 0));
    let verdict = story.judge();
    assert_eq!(verdict.findings.len(), 3, "for each member, and for the message: {:?}", verdict.findings);
    assert!(verdict.findings[2].text.contains("nobody got it"));
}

#[test]
fn messages_of_unknown_outcome_may_arrive_or_not() {
    for outcome in [Outcome::Unknown, Outcome::ConnectionLost, Outcome::Refused] {
        let mut story = Story::new();
        story.sent(1000, message(PUBLISHER, 0)).answered(1010, message(PUBLISHER, 0), outcome);
        assert_eq!(story.rules(), []);
        story.got(1020, A, message(PUBLISHER, 0));
        let expected: &[Rule] = if outcome == Outcome::Refused { &[Rule::Refused] } else { &[] };
        assert_eq!(story.rules(), expected, "{outcome:?}");
    }
}

#[test]
fn a_message_that_nobody_sent_is_found() {
    let mut story = Story::new();
    story.got(1000, A, message(PUBLISHER, 0));
    assert_eq!(story.rules(), [Rule::Refused]);
}

#[test]
fn a_message_after_the_end_of_a_subscription_is_found() {
    let mut story = Story::new();
    story.add(900, B, What::Leaving(TOPIC)).add(950, B, What::Left(TOPIC));
    arrives(&mut story, 1000, message(PUBLISHER, 0));
    assert_eq!(story.rules(), [Rule::AfterTheEnd]);
    // A new subscription gets it.
    let mut story = Story::new();
    story.add(900, B, What::Leaving(TOPIC)).add(950, B, What::Left(TOPIC)).add(960, B, What::Joining(TOPIC));
    arrives(&mut story, 1000, message(PUBLISHER, 0));
    assert_eq!(story.rules(), []);
}

#[test]
fn the_end_of_a_subscription_that_had_ended_with_its_connection_does_not_end_the_next() {
    let mut story = Story::new();
    story.add(900, B, What::Disconnected).add(950, B, What::Left(TOPIC));
    story.add(960, B, What::Connected { node: 1 }).add(970, B, What::Joining(TOPIC));
    arrives(&mut story, 1000, message(PUBLISHER, 0));
    assert_eq!(story.rules(), []);
}
