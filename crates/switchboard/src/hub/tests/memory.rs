//! Memory after a peak.

use std::sync::Arc;

use crate::{
    conn::AnyConn,
    hub::{
        Filter, Hub,
        testing::{join, leave, member, received},
    },
    ws_message,
};

#[ws_message("N", crate = crate)]
struct N {
    n: u8,
}

#[test]
fn topics_without_subscribers_free_their_memory() {
    let hub = Hub::new();
    let members: Vec<_> = (0..1000).map(|_| member(&hub)).collect();
    for (index, member) in members.iter().enumerate() {
        for n in 0..100 {
            join(&hub, member, &format!("{index}:{n}"), None);
        }
    }
    assert!(hub.0.topics.read().capacity() >= 100_000);
    members.iter().for_each(|member| hub.leave_all(&**member));
    let topics = hub.0.topics.read();
    assert!(topics.is_empty() && topics.capacity() <= 64, "{}", topics.capacity());
}

/// Subscribes many connections to a topic, every second one with a filter, and unsubscribes most of
/// them again. Returns those that stay.
async fn remaining_members(hub: &Hub, is_one: impl Fn(usize) -> bool) -> Vec<Arc<AnyConn>> {
    let members: Vec<_> = (0..2000).map(|_| member(hub)).collect();
    for (index, member) in members.iter().enumerate() {
        let filter = (index % 2 == 1).then(|| Filter::new(|_, n: &N| n.n > 1));
        join(hub, member, "t", filter);
    }
    hub.publish("t", N { n: 1 }).await.unwrap();
    for (index, member) in members.iter().enumerate() {
        assert_eq!(received(member).len(), usize::from(index % 2 == 0));
    }
    let (stay, go): (Vec<_>, Vec<_>) = members.into_iter().enumerate().partition(|(index, _)| is_one(*index));
    for (_, member) in go {
        leave(hub, &member, "t");
    }
    stay.into_iter().map(|(_, member)| member).collect()
}

#[tokio::test]
async fn after_a_peak_the_members_are_compact_and_each_is_found() {
    // The last, the first, and some in between, with and without a filter.
    let some: [fn(usize) -> bool; 3] = [|n| n >= 1990, |n| n < 10, |n| n.is_multiple_of(399) || n % 499 == 1];
    for is_one in some {
        let hub = Hub::new();
        let stay = remaining_members(&hub, is_one).await;
        let topic = hub.find_topic("t").unwrap();
        let (places, taken) = (4 * stay.len() + 1, stay.len());
        assert_eq!((topic.len(), topic.is_large(places)), (taken, false));
        // Each receives what passes its filter once, and nothing after unsubscribing.
        for n in [1, 2] {
            hub.publish("t", N { n }).await.unwrap();
        }
        let passed = stay.iter().map(|member| received(member).len()).collect::<Vec<_>>();
        let filtered = topic.has_filters().then(|| passed.iter().filter(|got| **got == 1).count());
        assert!(passed.iter().all(|got| [1, 2].contains(got)) && filtered.is_some_and(|n| n > 0 && n < taken));
        for (left, member) in stay.iter().enumerate() {
            drop(received(member));
            assert!(leave(&hub, member, "t"));
            assert_eq!(hub.topic("t").local_subscriber_count(), taken - left - 1);
            hub.publish("t", N { n: 2 }).await.unwrap();
            assert!(received(member).is_empty());
        }
        let stats = hub.stats();
        assert_eq!((stats.topics, stats.subscriptions), (0, 0));
        assert!(!hub.looks_at_values(), "no filter is left");
    }
}

#[tokio::test]
async fn members_keep_their_keys_during_an_iteration() {
    let hub = Hub::new();
    let members: Vec<_> = (0..2000).map(|_| member(&hub)).collect();
    for member in &members {
        join(&hub, member, "t", None);
    }
    let topic = hub.find_topic("t").unwrap();
    let mut seen = hub.topic("t").local_members();
    let first = seen.next().unwrap().id();
    for member in &members[..1998] {
        leave(&hub, member, "t");
    }
    assert!(topic.is_large(1999));
    let seen: Vec<_> =
        seen.map(|conn| conn.id()).filter(|id| members[1998..].iter().any(|member| member.id == *id)).collect();
    assert_eq!((first, seen), (members[0].id, vec![members[1998].id, members[1999].id]));
    // The iterator was dropped, so the memory is freed.
    assert_eq!((topic.len(), topic.is_large(9)), (2, false));
}

#[tokio::test]
async fn a_member_gets_a_lower_key_once_its_flush_is_done() {
    let hub = Hub::new();
    let members: Vec<_> = (0..60).map(|_| member(&hub)).collect();
    for member in &members {
        join(&hub, member, "t", None);
    }
    let topic = hub.find_topic("t").unwrap();
    // Written in chunks, by a task that has not run yet.
    hub.publish("t", N { n: 1 }).await.unwrap();
    for member in &members[..58] {
        leave(&hub, member, "t");
    }
    assert!(topic.is_large(59));
    while topic.is_large(9) {
        tokio::task::yield_now().await;
    }
    for member in &members[58..] {
        assert_eq!(received(member).len(), 1);
        assert!(leave(&hub, member, "t"));
    }
}
