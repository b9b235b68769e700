use switchboard_core::broker::{Incarnation, NodeId};

use super::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn origin(incarnation: u64) -> Origin {
    Origin { node: NodeId::from_bytes([1; 16]), incarnation: Incarnation::from_u64(incarnation) }
}

fn room() -> TopicName {
    TopicName::new("room").unwrap()
}

fn positions(config: &ClusterConfig) -> Positions {
    let mut positions = Positions::new(config, Seeded::default());
    positions.begin(&room(), ms(10_000));
    positions
}

fn after(sequence: u64, age_ms: u64) -> Option<Predecessor> {
    Some(Predecessor { sequence, age_ms })
}

fn listed(sequence: u64, age_ms: u64) -> ListedPublish {
    ListedPublish { topic_hash: topic_hash(&room()), sequence, age_ms }
}

#[test]
fn a_missing_predecessor_is_a_gap_and_is_told_once() {
    let mut positions = positions(&ClusterConfig::new());
    let mut message = |sequence, predecessor| positions.message(&room(), origin(1), sequence, predecessor, ms(20_000));
    assert_eq!(message(5, None), Arrival::Next);
    assert_eq!(message(9, after(5, 1)), Arrival::Next, "sequences are those of the node: they have holes in a topic");
    assert_eq!(message(12, after(11, 1)), Arrival::AfterGap);
    assert_eq!(message(13, after(12, 1)), Arrival::Next);
    assert_eq!(message(11, after(9, 1)), Arrival::Old, "it was told to be lost");
    assert_eq!(message(13, after(12, 1)), Arrival::Old);
    assert_eq!(message(20, None), Arrival::Next, "the publisher has forgotten what was before");
}

#[test]
fn incarnations_have_positions_of_their_own() {
    let mut positions = positions(&ClusterConfig::new());
    assert_eq!(positions.message(&room(), origin(1), 50, None, ms(20_000)), Arrival::Next);
    assert_eq!(positions.message(&room(), origin(2), 1, None, ms(20_000)), Arrival::Next);
}

#[test]
fn before_the_first_message_the_age_of_the_predecessor_decides() {
    for (age_ms, expected) in
        [(100, Arrival::AfterGap), (749, Arrival::AfterGap), (750, Arrival::Next), (9000, Arrival::Next)]
    {
        let mut positions = positions(&ClusterConfig::new());
        // Joined at 10 s, with a margin of 250 ms.
        let arrival = positions.message(&room(), origin(1), 7, after(6, age_ms), ms(11_000));
        assert_eq!(arrival, expected, "{age_ms}");
    }
}

#[test]
fn a_message_that_a_heartbeat_names_may_arrive_for_half_a_second() {
    let mut positions = positions(&ClusterConfig::new());
    positions.message(&room(), origin(1), 5, None, ms(20_000));
    positions.listed(origin(1), listed(5, 10), ms(20_000));
    assert_eq!(positions.next_timeout(), None);
    positions.listed(origin(1), listed(6, 10), ms(20_000));
    positions.listed(origin(1), listed(6, 1010), ms(21_000));
    assert_eq!((positions.lost(ms(20_499)), positions.next_timeout()), (None, Some(ms(20_500))));
    assert_eq!(positions.lost(ms(20_500)), Some(room()));
    assert_eq!((positions.lost(ms(99_000)), positions.next_timeout()), (None, None), "it is told once");
    assert_eq!(positions.message(&room(), origin(1), 6, after(5, 1), ms(21_000)), Arrival::Old);
}

#[test]
fn a_message_that_arrives_after_the_heartbeat_is_no_loss() {
    let mut positions = positions(&ClusterConfig::new());
    positions.listed(origin(1), listed(6, 10), ms(20_000));
    assert_eq!(positions.message(&room(), origin(1), 6, None, ms(20_100)), Arrival::Next);
    assert_eq!(positions.lost(ms(99_000)), None);
}

#[test]
fn the_first_message_of_a_publisher_can_be_lost_too() {
    let mut positions = positions(&ClusterConfig::new());
    positions.listed(origin(1), listed(6, 10_000), ms(20_000));
    assert_eq!(positions.lost(ms(99_000)), None, "it was published before the subscription began");
    positions.listed(origin(1), listed(7, 10), ms(99_000));
    assert_eq!(positions.lost(ms(99_999)), Some(room()));
}

#[test]
fn an_interruption_covers_what_was_published_before() {
    let mut positions = positions(&ClusterConfig::new());
    positions.message(&room(), origin(1), 5, None, ms(20_000));
    positions.listed(origin(1), listed(6, 100), ms(29_900));
    positions.interrupted(&room(), ms(30_000));
    positions.listed(origin(1), listed(7, 100), ms(30_050));
    assert_eq!(positions.lost(ms(99_000)), None, "both were published before");
    assert_eq!(positions.message(&room(), origin(1), 9, after(8, 1000), ms(31_000)), Arrival::Next);
    assert_eq!(positions.message(&room(), origin(1), 11, after(10, 1), ms(31_000)), Arrival::AfterGap);
    positions.listed(origin(1), listed(12, 100), ms(31_200));
    assert_eq!(positions.lost(ms(99_000)), Some(room()));
}

#[test]
fn right_after_an_interruption_the_first_message_of_a_publisher_is_missed_too() {
    let mut positions = positions(&ClusterConfig::new());
    positions.interrupted(&room(), ms(30_000));
    positions.listed(origin(1), listed(1, 100), ms(30_050));
    assert_eq!(positions.lost(ms(40_000)), None, "it was published before");
    assert_eq!(positions.message(&room(), origin(2), 8, after(7, 10), ms(30_050)), Arrival::AfterGap);
}

#[test]
fn a_topic_that_is_left_is_forgotten() {
    let mut positions = positions(&ClusterConfig::new());
    positions.message(&room(), origin(1), 5, None, ms(20_000));
    positions.end(&room());
    assert_eq!((positions.total, positions.topics.len()), (0, 0));
}

#[test]
fn positions_are_limited() {
    let mut positions = positions(&ClusterConfig::new().max_positions(10));
    for incarnation in 0..1000 {
        assert_eq!(positions.message(&room(), origin(incarnation), 1, None, ms(20_000)), Arrival::Next);
        let kept = positions.topics[&topic_hash(&room())].publishers.len();
        assert!(kept <= 10 && positions.total == kept, "{kept}");
    }
}

#[test]
fn topics_that_are_not_joined_are_not_watched() {
    let mut positions = Positions::new(&ClusterConfig::new(), Seeded::default());
    positions.listed(origin(1), listed(6, 10), ms(20_000));
    assert_eq!(positions.message(&room(), origin(1), 6, after(5, 1), ms(20_000)), Arrival::Next);
    assert_eq!(positions.lost(ms(99_000)), None);
}
