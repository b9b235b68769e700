use std::{
    future::IntoFuture as _,
    pin::pin,
    task::{Context, Waker},
};

use crate::{
    SlowConsumer, TopicOptions,
    conn::AnyConn,
    hub::{
        Filter,
        publish::{Audience, Outgoing},
        testing::{join, leave, member, received},
        *,
    },
    wire::Frame,
    ws_message,
};

/// More than three chunks.
const MEMBERS: usize = 200;

#[ws_message("N", crate = crate)]
struct N {
    n: u8,
}

/// Takes the numbers received.
fn numbers(conn: &AnyConn) -> Vec<u8> {
    let payloads = received(conn);
    let number = |text: &String| text.rsplit(r#""n":"#).next().unwrap()[..1].parse().unwrap();
    payloads.iter().map(number).collect()
}

fn members(hub: &Hub) -> Vec<Arc<AnyConn>> {
    let members: Vec<_> = (0..MEMBERS).map(|_| member(hub)).collect();
    for (index, member) in members.iter().enumerate() {
        let filter = (index % 2 == 1).then(|| Filter::new(|_, n: &N| n.n > 1));
        join(hub, member, "t", filter);
    }
    members
}

#[tokio::test]
async fn filters_run_in_chunks_and_messages_keep_their_order() {
    let hub = Hub::new();
    let members = members(&hub);
    for n in [1, 2] {
        let mut publish = pin!(hub.publish("t", N { n }).into_future());
        let first = publish.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(first.is_pending(), "it is published in chunks");
    }
    assert_eq!(hub.publish("t", N { n: 3 }).await.unwrap().count(), Some(MEMBERS));
    assert_eq!(hub.publish("t", N { n: 0 }).await.unwrap().count(), Some(MEMBERS / 2));
    for (index, member) in members.iter().enumerate() {
        let expected: &[u8] = if index % 2 == 1 { &[2, 3] } else { &[1, 2, 3, 0] };
        assert_eq!(numbers(member), expected, "{index}");
    }
}

#[tokio::test]
async fn nothing_arrives_after_unsubscribing_in_between() {
    let hub = Hub::new();
    let members = members(&hub);
    let mut publish = pin!(hub.publish("t", N { n: 2 }).into_future());
    assert!(publish.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    leave(&hub, &members[MEMBERS - 1], "t");
    assert_eq!(publish.await.unwrap().count(), Some(MEMBERS - 1));
    assert!(numbers(&members[MEMBERS - 1]).is_empty());
    assert_eq!(numbers(&members[MEMBERS - 2]), [2]);
}

/// Returns whether subscribers of the topic may receive different messages.
fn is_selective(hub: &Hub, topic: &str) -> bool {
    let message = Outgoing::new("N", Frame::text("{}")).with_value(N { n: 1 });
    hub.selection(&hub.find_topic(topic).unwrap(), message, Audience::default(), None).is_some()
}

#[tokio::test]
async fn hubs_without_filters_keep_no_message() {
    let hub = Hub::builder().topic("t", TopicOptions::new().filter(|_, _: &N| true)).build();
    let conn = member(&hub);
    join(&hub, &conn, "t", None);
    join(&hub, &conn, "u", None);
    assert!(hub.looks_at_values() && is_selective(&hub, "t") && !is_selective(&hub, "u"));
    let hub = Hub::builder().topic("t", TopicOptions::new().max_members(2).no_self_delivery()).build();
    let (one, other) = (member(&hub), member(&hub));
    let filter = Some(Filter::new(|_, _: &N| true));
    join(&hub, &one, "t", None);
    join(&hub, &one, "u", None);
    assert!(!hub.looks_at_values() && !is_selective(&hub, "t"));
    join(&hub, &other, "t", filter);
    assert!(hub.looks_at_values() && is_selective(&hub, "t") && !is_selective(&hub, "u"));
    leave(&hub, &other, "t");
    assert!(!hub.looks_at_values() && !is_selective(&hub, "t"));
}

#[tokio::test]
async fn a_hub_that_no_route_uses_is_warned_of_once() {
    let hub = Hub::new();
    hub.publish("t", N { n: 1 }).await.unwrap();
    assert!(!hub.warn_if_unused("t"), "it has warned");
    let hub = Hub::new();
    // Mounts a router.
    member(&hub);
    assert!(!hub.warn_if_unused("t"));
    assert!(Hub::new().warn_if_unused("t"));
}

/// Rules and filters are application code and may use the hub and the connection.
#[tokio::test]
async fn rules_may_look_at_the_hub_and_the_connection() {
    let hub = Hub::new();
    let outer = hub.clone();
    let hub = Hub::builder()
        .topic("t", TopicOptions::new().allow_names(move |name| outer.topic(name).local_subscriber_count() == 0))
        .topic("u", TopicOptions::new().filter(|member, _: &N| member.is_subscribed("u")))
        .build();
    let member = member(&hub);
    for topic in ["t", "u"] {
        join(&hub, &member, topic, None);
    }
    assert_eq!(hub.publish("u", N { n: 1 }).await.unwrap().count(), Some(1));
}

/// A member that got it leaves and comes back where the publish has not been yet, one that it has
/// not reached leaves and comes back, and one joins for the first time.
#[tokio::test]
async fn attack_a5_subscribers_that_join_during_a_selective_publish_do_not_get_it() {
    let options = TopicOptions::new().slow_consumer(SlowConsumer::DropOldest);
    for hub in [Hub::new(), Hub::builder().topic("t", options).build()] {
        let members = members(&hub);
        let mut publish = pin!(hub.publish("t", N { n: 2 }).into_future());
        assert!(publish.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let [reached, not_reached] = [&members[1], &members[MEMBERS - 1]];
        assert_eq!(numbers(reached), [2]);
        let (first, behind) = (member(&hub), member(&hub));
        let rejoin = |member: &Arc<AnyConn>| {
            let filter = Some(Filter::new(|_, n: &N| n.n > 1));
            join(&hub, member, "t", filter);
        };
        leave(&hub, reached, "t");
        // Takes the freed key, so that the other gets the last one.
        rejoin(&first);
        rejoin(reached);
        leave(&hub, not_reached, "t");
        rejoin(not_reached);
        rejoin(&behind);
        assert_eq!(publish.await.unwrap().count(), Some(MEMBERS - 1));
        for member in [reached, not_reached, &first, &behind] {
            assert!(numbers(member).is_empty());
        }
        assert_eq!(hub.publish("t", N { n: 3 }).await.unwrap().count(), Some(MEMBERS + 2));
        for member in members.iter().chain([&first, &behind]) {
            assert_eq!(numbers(member).last(), Some(&3));
        }
    }
}
