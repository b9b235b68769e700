//! Publishes to topics with many subscribers, in chunks.

use std::{future::IntoFuture as _, pin::pin, sync::atomic::AtomicBool, task::Waker};

use std::{sync::atomic::Ordering::Relaxed, task::Context};

use crate::{
    Hub,
    fanout::Flush as _,
    hub::{
        PublishFuture,
        publish::Outgoing,
        testing::{join, leave, member, received},
        *,
    },
    wire::Frame,
};

/// More than three chunks.
const MEMBERS: usize = 200;

fn publish(hub: &Hub, text: &str) -> PublishFuture {
    crate::Publish::new(hub.clone(), "t", Ok(Outgoing::new("T", Frame::text(text))), None).into_future()
}

#[tokio::test]
async fn all_members_get_all_in_order_even_if_the_publisher_is_dropped() {
    let hub = Hub::new();
    let members: Vec<_> = (0..MEMBERS).map(|_| member(&hub)).collect();
    for member in &members {
        join(&hub, member, "t", None);
    }
    for text in ["a", "b"] {
        let mut publish = pin!(publish(&hub, text));
        let first = publish.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(first.is_pending(), "it is published in chunks");
    }
    let published = publish(&hub, "c").await.unwrap();
    assert_eq!(published.count(), Some(MEMBERS));
    for member in &members {
        assert_eq!(received(member), ["a", "b", "c"]);
    }
}

#[tokio::test]
async fn nothing_arrives_after_unsubscribing_in_between() {
    let hub = Hub::new();
    let members: Vec<_> = (0..MEMBERS).map(|_| member(&hub)).collect();
    for member in &members {
        join(&hub, member, "t", None);
    }
    let mut publish = pin!(publish(&hub, "a"));
    assert!(publish.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let last = &members[MEMBERS - 1];
    leave(&hub, last, "t");
    publish.await.unwrap();
    assert!(received(last).is_empty());
    assert_eq!(received(&members[MEMBERS - 2]), ["a"]);
}

#[tokio::test]
async fn attack_a5_subscribers_that_join_during_a_chunked_publish_do_not_get_it() {
    let hub = Hub::new();
    let members: Vec<_> = (0..MEMBERS).map(|_| member(&hub)).collect();
    let enter = |member| join(&hub, member, "t", None);
    for member in &members {
        enter(member);
    }
    // The second waits for the first, and excludes later subscribers, too.
    let mut publishes = ["a", "b"].map(|text| Box::pin(publish(&hub, text)));
    for publish in &mut publishes {
        assert!(publish.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let (reached, first) = (&members[0], member(&hub));
    assert_eq!(received(reached), ["a"]);
    leave(&hub, reached, "t");
    // Takes the freed key, so that the other gets the last one.
    enter(&first);
    enter(reached);
    for publish in publishes {
        publish.await.unwrap();
    }
    publish(&hub, "c").await.unwrap();
    for member in [reached, &first] {
        assert_eq!(received(member), ["c"]);
    }
    assert_eq!(received(&members[1]), ["a", "b", "c"]);
}

/// Without a runtime, no task continues a flush in the background.
#[test]
fn a_flush_without_a_runtime_ends_while_others_publish() {
    let hub = Hub::new();
    let members: Vec<_> = (0..MEMBERS).map(|_| member(&hub)).collect();
    for member in &members {
        join(&hub, member, "t", None);
    }
    let topic = hub.find_topic("t").unwrap();
    let frame = Frame::text("a");
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            while !is_done.load(Relaxed) {
                topic.push(&frame, None, usize::MAX);
            }
        });
        for _ in 0..10 {
            Arc::clone(&topic).flush();
        }
        is_done.store(true, Relaxed);
        others.join().unwrap();
    });
}
